"""What `doctor` says of one thing that it looked at."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

InspectedArea = Literal["programs", "agent", "state", "documents", "way", "reads", "changes"]
"""Where it belongs: this control node's programs, ssh agent, state directory and store, files; the way to a host, what
can be read there and what can be changed there."""
InspectedState = Literal["ok", "note", "missing"]
"""All is well; it is as it is, and worth knowing; something does not work that should."""


class Inspection(Struct, frozen=True, kw_only=True):
    """One thing: whether it is well, what was found, what to do, and what cannot be done without it."""

    area: InspectedArea
    name: str
    state: InspectedState = "ok"
    said: str = ""
    remedy: str = ""
    wanted_by: tuple[str, ...] = ()
