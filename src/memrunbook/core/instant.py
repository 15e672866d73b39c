"""A moment: on the calendar for people, on the monotonic clock for differences."""

from __future__ import annotations

import datetime as dt

from msgspec import Struct


class Instant(Struct, frozen=True):
    """A moment of the control node: `utc` in seconds since 1970, `monotonic` in seconds of its steady clock."""

    utc: float
    monotonic: float

    def since(self, earlier: Instant) -> float:
        """Seconds that passed between `earlier` and this moment."""
        return self.monotonic - earlier.monotonic

    def isoformat(self) -> str:
        """The moment as UTC in ISO 8601 with milliseconds."""
        return dt.datetime.fromtimestamp(self.utc, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def earlier(self, seconds: float) -> Instant:
        """The instant so many seconds before this one."""
        return Instant(utc=self.utc - seconds, monotonic=self.monotonic - seconds)
