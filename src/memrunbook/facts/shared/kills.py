"""What out-of-memory events say of each unit: how often it was met, when last, at whose limit, and how much it held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from memrunbook.core.units import KIB
from memrunbook.linux.oomlog.category import LIMIT

SOON, AGAIN = 120.0, 600.0
"""Seconds: who reached its limit so soon after its start, or so soon and not for the first time, reaches it again."""
ROUNDED = 64 * KIB
"""The kernel rounds a limit down to a page."""


class KillEvent(Protocol):
    """What is looked at of an event."""

    @property
    def unit(self) -> str: ...
    @property
    def class_(self) -> str: ...
    @property
    def age_seconds(self) -> float | None: ...
    @property
    def victim_bytes(self) -> int | None: ...
    @property
    def oom_memcg(self) -> str: ...
    @property
    def limit_bytes(self) -> int | None: ...


class Kills(Struct, frozen=True, kw_only=True):
    """The kills of one unit; the age and the limit are those of the newest."""

    count: int = 0
    age: float | None = None
    held_bytes: int = 0
    limit_group: str = ""
    limit_bytes: int | None = None

    def died_soon(self, lived: float | None) -> bool:
        """True where another start ends as the last one; a slow leak that takes hours to its limit is worth one."""
        if not self.limit_group:
            return False
        if lived is None:
            return self.count > 1
        return lived < (AGAIN if self.count > 1 else SOON)

    def stands(self, limit: int | None) -> bool:
        """True where the limit of now is known to be no higher than the one that was hit."""
        return limit is not None and self.limit_bytes is not None and limit <= self.limit_bytes + ROUNDED

    def own_limit(self, unit: str) -> bool:
        """True where the limit was the unit's own, not that of a group above it."""
        return self.limit_group.endswith(f"/{unit}")


def kills_by_unit(events: Iterable[KillEvent]) -> dict[str, Kills]:
    """The kills of each unit, from events of which the newest comes last."""
    found: dict[str, Kills] = {}
    for event in events:
        before = found.get(event.unit, Kills())
        found[event.unit] = Kills(
            count=before.count + 1,
            age=event.age_seconds,
            held_bytes=max(before.held_bytes, event.victim_bytes or 0),
            limit_group=event.oom_memcg if event.class_ == LIMIT else "",
            limit_bytes=event.limit_bytes if event.class_ == LIMIT else None,
        )
    found.pop("", None)
    return found
