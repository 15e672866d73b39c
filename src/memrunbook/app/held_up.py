"""What keeps a plan from being carried out on a host now."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from memrunbook.core.run.flight import OpenStep


class FrozenNow(Struct, frozen=True):
    """A freeze that holds on a host: its name, until when (seconds since 1970), whose word it is, and what to do."""

    name: str
    until: float
    told: str
    hint: str


class HeldUp(NamedTuple):
    """What keeps a plan from being carried out on a host now: steps that runs left open, freezes, the switch (why)."""

    open: tuple[OpenStep, ...]
    freezes: tuple[FrozenNow, ...]
    off: str
