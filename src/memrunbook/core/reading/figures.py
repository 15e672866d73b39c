"""What the history keeps of a fact: the fact says so in its own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memrunbook.core.reading.series import Kind


@dataclass(frozen=True)
class Figure:
    """A metric of the fact that is kept for the whole host: its `path` ("some.avg300"); `limit` is what bounds it."""

    path: str
    limit: str = ""
    kind: Kind = "host"


@dataclass(frozen=True)
class Holders:
    """A list of the fact whose items hold memory, each of which has points of its own: the `most` largest at a reading.

    `figures` are the names that are kept, with the fields of an item that are summed for each; the first of them must
    be known, and the items are taken in the order of the first figure. `name` are the fields that name a holder, `life`
    those that say which run of it this is, `limit` its own limit. `only` names a field and the values it must have, and
    `least` one that must be as large: what lives for minutes has no history.
    """

    kind: Kind
    path: str
    figures: Mapping[str, tuple[str, ...]]
    name: tuple[str, ...] = ("name",)
    life: tuple[str, ...] = ()
    limit: str = ""
    most: int = 20
    only: tuple[str, frozenset[str]] | None = None
    least: tuple[str, float] | None = None


Kept = Figure | Holders
