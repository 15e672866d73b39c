"""What is usual for a figure: its median, 95th percentile and peak, where it goes, and how much room that leaves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Literal

from msgspec import Struct, structs

from memrunbook.core.reading.lives import lived
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.reading.trend import LEAST_POINTS, SIGNIFICANT, significance, slope
from memrunbook.core.units import DAY, HOUR

PARTS = 48
"""A trend rests on the means of so many equal parts of the time: pairs of all points would be millions."""
NOTABLE = 0.02
"""A rise or fall over the whole time of less than this part of the median is none, however steady."""
LEAST_ROOM, GOOD_ROOM = 20.0, 30.0
"""Percent of RAM that should be left when a host is busy: the seed's rule of 20 to 30 % (capacity planning)."""
LEAST_TIME = 1.0 * DAY
LEAST_WEIGHT = 0.001
"""Seconds; of two points at one time both count."""
USED = "memory.used_bytes"
UNIT_OWN = "units.own_bytes"
"""What a service holds that nobody else does."""
AVAILABLE = "memory.available_bytes"
KILLS = "vmstat.oom_kills"
COUNTERS = frozenset({KILLS})
"""Figures that only rise while a host is up: an hour's largest value is its last one."""

Room = Literal["enough", "just enough", "too little", "not known yet"]


class Baseline(Struct, frozen=True, kw_only=True):
    """One figure of one holder over a time; values in its own unit, times in seconds since 1970.

    `per_day` is its trend, 0 where it has none beyond chance. `begun` are the moments at which its holder was first
    seen in a new run. `limit` is its newest one. `course` are the means of equal parts of the time, None for a part
    without a point. `leak` is what a reading would say of it as one that leaks, by field; empty where it does not.
    """

    kind: Kind
    name: str
    figure: str
    points: int
    since: float
    until: float
    now: float
    least: float
    median: float
    p95: float
    peak: float
    per_day: float
    limit: float | None
    begun: tuple[float, ...]
    course: tuple[float | None, ...]
    leak: dict[str, Any] = {}


class Headroom(Struct, frozen=True):
    """How much of a host's RAM is left when it is busy: beyond its usage in 95 of 100 readings.

    `percent` is None where too little is known; `seconds` is the time that is known.
    """

    room: Room
    percent: float | None
    total_bytes: float
    seconds: float


class HostPast(Struct, frozen=True):
    """What is known of a host: its series with what is usual in each, in the same order; none where nothing is known.

    `kills` is how often the OOM killer was at work in that time.
    """

    host: str
    headroom: Headroom | None = None
    kills: int = 0
    series: tuple[Series, ...] = ()
    baselines: tuple[Baseline, ...] = ()

    @property
    def used(self) -> Baseline | None:
        """What is usual of the RAM in use."""
        return next((one for one in self.baselines if one.kind == "host" and one.figure == USED), None)

    @property
    def left(self) -> float | None:
        """Percent of its RAM that is left when it is busy; None where that is not known yet."""
        return None if self.headroom is None else self.headroom.percent


def baseline(series: Series, least: float, peak: float, width: int) -> Baseline:
    """What is usual for a series with at least one point; `least` and `peak` are its extremes, hours' included.

    The course has `width` parts.
    """
    points = series.points
    first, last = points[0], points[-1]
    values = sorted(zip((point.value for point in points), _weights(points), strict=True))
    return Baseline(
        kind=series.kind,
        name=series.name,
        figure=series.figure,
        points=len(points),
        since=first.at,
        until=last.at,
        now=last.value,
        least=min(least, values[0][0]),
        median=_quantile(values, 0.5),
        p95=_quantile(values, 0.95),
        peak=max(peak, values[-1][0]),
        per_day=_per_day(points),
        limit=last.limit,
        begun=tuple(
            after.at for before, after in pairwise(lived(points)) if after.life and before.life not in ("", after.life)
        ),
        course=course(points, first.at, last.at, width),
    )


def course(points: Sequence[Observation], since: float, until: float, width: int) -> tuple[float | None, ...]:
    """The means of equal parts of a time, None where a part has no point."""
    parts = [[0.0, 0.0] for _ in range(width)]
    span = max(until - since, 1.0)
    for point, weight in zip(points, _weights(points), strict=True):
        part = parts[min(width - 1, max(0, int((point.at - since) / span * width)))]
        part[0] += point.value * weight
        part[1] += weight
    return tuple(total / weight if weight else None for total, weight in parts)


def used_of(available: Series) -> Series:
    """What is used of what has a limit: the points that say how much of it is left, turned around."""
    points = tuple(
        structs.replace(point, value=point.limit - point.value) for point in available.points if point.limit is not None
    )
    return Series(available.kind, available.name, USED, points)


def headroom(used: Baseline) -> Headroom:
    """The verdict on a host's RAM."""
    total, known = used.limit or 0.0, used.until - used.since
    if total <= 0 or used.points < LEAST_POINTS or known < LEAST_TIME:
        return Headroom("not known yet", None, total, known)
    left = 100.0 * (total - used.p95) / total
    room: Room = "too little" if left < LEAST_ROOM else "just enough" if left < GOOD_ROOM else "enough"
    return Headroom(room, left, total, known)


def risen(counter: Series) -> int:
    """How far a counter rose in all; one that began anew with its holder counts from 0."""
    pairs = pairwise(counter.points)
    rises = (after.value - (before.value if before.life == after.life else 0.0) for before, after in pairs)
    return round(sum(max(0.0, rise) for rise in rises))


def _weights(points: Sequence[Observation]) -> list[float]:
    """The seconds that each point stands for, half way to its neighbours; of a gap no more than an hour.

    Old points are hours, new ones minutes: counted one by one, two weeks would outweigh the year before them.
    """
    gaps = [min(max(after.at - before.at, 0.0), HOUR) for before, after in pairwise(points)]
    ends = [gaps[0], *gaps, gaps[-1]] if gaps else [HOUR, HOUR]
    return [max((before + after) / 2, LEAST_WEIGHT) for before, after in pairwise(ends)]


def _quantile(values: Sequence[tuple[float, float]], share: float) -> float:
    """Of sorted values with their weights; each stands at the middle of its own, between two is taken in proportion."""
    if len(values) == 1:
        return values[0][0]
    places = [end - weight / 2 for end, (_, weight) in zip(accumulate(one[1] for one in values), values, strict=True)]
    place = places[0] + share * (places[-1] - places[0])
    high = min(max(bisect_left(places, place), 1), len(values) - 1)
    part = (place - places[high - 1]) / (places[high] - places[high - 1])
    return values[high - 1][0] + (values[high][0] - values[high - 1][0]) * part


def _per_day(points: Sequence[Observation]) -> float:
    first, last = points[0].at, points[-1].at
    means = course(points, first, last, PARTS)
    apart = (last - first) / PARTS
    known = [(number * apart, mean) for number, mean in enumerate(means) if mean is not None]
    if len(known) < LEAST_POINTS or abs(significance([mean for _, mean in known])) < SIGNIFICANT:
        return 0.0
    rate = slope(known)
    usual = sorted(abs(mean) for _, mean in known)[len(known) // 2]
    return rate * DAY if abs(rate) * (last - first) >= NOTABLE * usual else 0.0
