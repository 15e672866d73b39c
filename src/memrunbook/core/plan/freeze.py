"""Windows of time in which nothing is changed: once, or on days of the week, in the time of a place. Pure."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from msgspec import Struct

from memrunbook.core.window import MINUTES_A_DAY, moment


class FreezeWindow(Struct, frozen=True, kw_only=True):
    """One window. `begin` and `end` are in seconds since 1970 where it is once, else in minutes since midnight.

    `days` are the days of the week on which it begins (Monday is 0), empty where it is once; `where` is its line.
    """

    name: str
    where: str
    zone: str
    begin: float
    end: float
    days: frozenset[int] = frozenset()
    hosts: str = "*"
    why: str = ""

    def until(self, host: str, now: float) -> float | None:
        """When the window ends that holds for a host now (seconds since 1970); None where none does."""
        if not fnmatch.fnmatchcase(host, self.hosts):
            return None
        return max((end for begin, end in self._spans(now) if begin <= now < end), default=None)

    @property
    def allowed_by(self) -> str:
        """The word of --allow that lets a change through it."""
        return f"freeze:{self.name}"

    def _spans(self, now: float) -> Iterator[tuple[float, float]]:
        if not self.days:
            yield self.begin, self.end
            return
        zone = ZoneInfo(self.zone)
        today = dt.datetime.fromtimestamp(now, zone).date()
        for day in (today - dt.timedelta(days=1), today):
            if day.weekday() in self.days:
                over = MINUTES_A_DAY if self.end <= self.begin else 0
                yield moment(day, int(self.begin), zone)[0], moment(day, int(self.end) + over, zone)[1]
