"""Why a firing was missed, by what a scheduler knows of its own looks and of whoever scheduled before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from memrunbook.core.instant import Instant
from memrunbook.core.schedule import Due, Moment
from memrunbook.core.units import format_duration

NOBODY = "no scheduler was there"
UNUSED = "it was not in schedules.yaml then, or could not be used"
CROWDED = "too many other schedules were under way"
UNDER_WAY = "the one before still ran, and then it was too late"
NEWER = "; the newest that was due is carried out instead"
JUMPED = 5.0
"""Seconds that the clock on the wall may go ahead between two looks, beside the time that passed."""


@dataclass
class Attendance:
    """The looks of one scheduler that came to their end; `heard` is when any was heard of before it (None: never).

    `stopped`: that one stopped as it was told to.
    `crowded` are the schedules that had to wait for others, by the last look; `trouble` why looks failed since then.
    """

    heard: float | None = None
    stopped: bool = False
    trouble: str = ""
    crowded: Collection[str] = ()
    _first: Instant | None = None
    _last: Instant | None = None
    _since: float = 0.0
    _used: dict[str, float] = field(default_factory=dict)

    def looked(self, now: Instant, names: Iterable[str], crowded: Collection[str]) -> None:
        """A look came to its end: these schedules were in use, and those had to wait for others to end."""
        self._first, self._last = self._first or now, now
        self._used = {name: self._used.get(name, now.utc) for name in names}
        self.crowded, self.trouble = crowded, ""

    def troubled(self, now: Instant, why: str) -> None:
        """A look failed."""
        self._since = now.utc if not self.trouble else self._since
        self.trouble = why

    def whys(self, found: Due, now: Instant, under_way: Collection[str], grace: float) -> dict[str, str]:
        """By its id why each was missed; within `grace` seconds of its start a newer one that is due stands for it."""
        return {
            one.id: self.why(one, now, under_way) + (NEWER if found.run and now.utc - one.starts <= grace else "")
            for one in found.missed
        }

    def why(self, moment: Moment, now: Instant, under_way: Collection[str]) -> str:
        """Why nobody carried a firing out in time that should have started before `now`."""
        first, last, name = self._first, self._last, moment.schedule
        if self.trouble and (last is not None or moment.starts > self._since):
            return f"nothing could be begun: {self.trouble}"
        if first is None or last is None or moment.starts <= first.utc:
            return self._before(moment)
        if moment.starts <= self._used.get(name, now.utc):
            return UNUSED
        if name in self.crowded:
            return CROWDED
        return self._late(moment, now, last, under_way)

    def _late(self, moment: Moment, now: Instant, last: Instant, under_way: Collection[str]) -> str:
        passed, ahead = now.monotonic - last.monotonic, now.utc - last.utc
        if ahead - passed > JUMPED:
            return f"this machine slept, or its clock was put forward, for {format_duration(ahead - passed)}"
        if moment.schedule in under_way:
            return UNDER_WAY
        return f"the scheduler was there and came {format_duration(now.utc - moment.starts)} late to it"

    def _before(self, moment: Moment) -> str:
        if self.heard is None:
            return NOBODY
        until = f"{dt.datetime.fromtimestamp(self.heard, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
        if moment.starts > self.heard:
            return f"{NOBODY} after {until}"
        if self.stopped:
            return f"the scheduler was being stopped, until {until}"
        return f"whoever scheduled until {until} did not come to it: it was not in use, or others were under way"
