"""Times of the day in a place, and windows that open at them: over midnight, over the nights on which clocks change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Mapping[Day, int] = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
MINUTES_A_DAY = 24 * 60
HOUR = 60
WEEK = 7
TimeOfDay = Annotated[
    str, Meta(pattern="^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$", description='a time of the day, as in "02:30"')
]


class OpenSpan(Struct, frozen=True):
    """How a window stands: open or not, and in how many seconds it opens (again)."""

    is_open: bool
    opens_in: float


class ServiceWindow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a service may be restarted as planned: on each of these days, over midnight where it ends earlier."""

    from_: TimeOfDay = field(name="from")
    until: TimeOfDay
    zone: Annotated[str, Meta(min_length=1, description="an IANA time zone, as in Europe/Berlin")] = "UTC"
    days: Annotated[tuple[Day, ...], Meta(description="the days on which it opens; without it every day")] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (",".join(self.days), f"{self.from_}-{self.until}", self.zone)))

    def at(self, now: float) -> OpenSpan:
        """How it stands at a moment (seconds since 1970)."""
        spans = list(self._spans(now))
        coming = min((begin for begin, _ in spans if begin > now), default=now)
        return OpenSpan(any(begin <= now < end for begin, end in spans), coming - now)

    def _spans(self, now: float) -> Iterator[tuple[float, float]]:
        """Those that began yesterday to those that begin a week from now."""
        zone, begin, end = ZoneInfo(self.zone), minutes_of(self.from_), minutes_of(self.until)
        today = dt.datetime.fromtimestamp(now, zone).date()
        chosen = {DAYS[day] for day in self.days or DAYS}
        for day in (today + dt.timedelta(days=number) for number in range(-1, WEEK + 1)):
            if day.weekday() in chosen:
                over = MINUTES_A_DAY if end <= begin else 0
                yield moment(day, begin, zone)[0], moment(day, end + over, zone)[1]


def minutes_of(clock: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    hours, _, minutes = clock.partition(":")
    return int(hours) * HOUR + int(minutes)


def moment(day: dt.date, minutes: int, zone: ZoneInfo) -> tuple[float, float]:
    """The first and the last moment (seconds since 1970) at which the clocks of a place show a time of a day.

    They differ when clocks are put back. A time that clocks leave out is the moment at which they do.
    """
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)
    first, last = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first <= last:
        return first, last
    before, after = last, first  # left out: each was reckoned with the other side's offset
    offset = dt.datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if dt.datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after, after


def left_out(day: dt.date, minutes: int, zone: ZoneInfo) -> bool:
    """True for a time of a day that the clocks of a place never show."""
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)
    shown = dt.datetime.fromtimestamp(moment(day, minutes, zone)[0], zone).replace(tzinfo=None)
    return shown != wall
