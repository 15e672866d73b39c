"""The points of a series as a judgement can use them: in order, by life, few enough, without the day's round. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import structs

from memrunbook.core.reading.series import Observation
from memrunbook.core.reading.trend import LEAST_POINTS, TimePoint
from memrunbook.core.units import DAY, HOUR

MOST_POINTS = 64
"""All pairs of points are compared: a longer series is averaged over equal stretches of time into at most so many."""
STRETCHES = 8
BENDS = (16.0, 64.0, 256.0)
"""How far a warm-up has come, in its own time constants, when it is looked at."""
SEVERAL_DAYS = 3
"""Two days tell a daily round from growth; to tell both from a single step takes a third."""
MANY = 24
"""Fewer points do not show a shape: chance alone bends them."""
NORMAL_MAD = 1.4826
"""What makes a median of absolute deviations the standard deviation of a normal distribution."""

Part = list[TimePoint]
"""One life: its points in the order of time, no two at one time."""


def lived(observations: Iterable[Observation]) -> list[Observation]:
    """The points in the order of time; one whose life could not be read belongs to the last that was known."""
    found: list[Observation] = []
    life = ""
    for one in sorted(observations, key=lambda one: (one.at, one.life)):
        life = one.life or life
        found.append(one if one.life == life else structs.replace(one, life=life))
    return found


def lives_of(observations: Iterable[Observation]) -> list[Part]:
    """The lives in the order of their last points; what is no memory (not finite, negative) is left out.

    Of two points at one time the later one stands. A clock that was set back makes times appear twice, no new life.
    """
    found: dict[str, dict[float, float]] = defaultdict(dict)
    known = [one for one in observations if math.isfinite(one.at) and math.isfinite(one.value) and one.value >= 0]
    for one in known if all(one.life for one in known) else lived(known):
        found[one.life][one.at] = one.value
    return sorted((sorted(life.items()) for life in found.values()), key=lambda part: part[-1][0])


def span_of(part: Sequence[TimePoint]) -> float:
    """The seconds between the first and the last point."""
    return part[-1][0] - part[0][0] if part else 0.0


def range_of(part: Sequence[TimePoint]) -> float:
    """What lies between the lowest and the highest value."""
    values = [value for _, value in part]
    return max(values) - min(values)


def fewer(parts: Sequence[Part]) -> list[Part]:
    """The lives with about MOST_POINTS points at most, fewer each where there are many: means over equal stretches.

    Gaps stay gaps. A life of eight points and fewer stays as it is.
    """
    most = max(LEAST_POINTS, int(MOST_POINTS / math.sqrt(max(len(parts), 1))))
    width = max(map(span_of, parts), default=0.0) / most
    return [part if len(part) <= most else _averaged(part, width) for part in parts]


def _averaged(part: Part, width: float) -> Part:
    stretches: dict[int, Part] = defaultdict(list)
    for at, value in part:
        stretches[int((at - part[0][0]) / width)].append((at, value))
    return [(_mean([at for at, _ in some]), _mean([value for _, value in some])) for some in stretches.values()]


def hours_of(part: Part) -> list[Part]:
    """The hourly means of a life by their hour of the day (UTC): 24 series at most, each a point a day."""
    hours: dict[int, Part] = defaultdict(list)
    for at, value in _by_the_hour(part):
        hours[int(at % DAY // HOUR)].append((at, value))
    return list(hours.values())


def without_day(part: Part, slope: float) -> Part:
    """Hourly means less what is usual at their hour of the day, beside a growth of `slope` per second."""
    from statistics import median

    means = _by_the_hour(part)
    left = {at: value - slope * (at - part[0][0]) for at, value in means}
    hours: dict[int, list[float]] = defaultdict(list)
    for at, rest in left.items():
        hours[int(at % DAY // HOUR)].append(rest)
    usual, whole = {hour: median(some) for hour, some in hours.items()}, median(left.values())
    return [(at, value - usual[int(at % DAY // HOUR)] + whole) for at, value in means]


def _by_the_hour(part: Part) -> Part:
    hours: dict[int, Part] = defaultdict(list)
    for at, value in part:
        hours[int(at // HOUR)].append((at, value))
    return [((hour + 0.5) * HOUR, _mean([value for _, value in some])) for hour, some in hours.items()]


def noise_of(part: Sequence[TimePoint]) -> float:
    """The standard deviation from one point to the next beside any trend: of second differences, robustly."""
    from statistics import median

    values = [value for _, value in part]
    bends = [
        abs(before - 2 * here + after) for before, here, after in zip(values, values[1:], values[2:], strict=False)
    ]
    return NORMAL_MAD * median(bends) / math.sqrt(6) if bends else 0.0


def steadied(part: Part) -> Part:
    """Each value as the middle one of itself and its neighbours: a single spike is gone, a step stays."""
    if len(part) < 3:  # noqa: PLR2004  the middle of three
        return part
    middle = [(at, sorted((a, b, c))[1]) for (_, a), (at, b), (_, c) in zip(part, part[1:], part[2:], strict=False)]
    return [(part[0][0], min(part[0][1], middle[0][1])), *middle, (part[-1][0], min(part[-1][1], middle[-1][1]))]


def floors_of(part: Part, depth: float) -> Part:
    """The low after every fall of more than `depth`, and the first low: where memory goes back to each time."""
    found: Part = []
    low = high = part[0]
    falling = True
    for point in part[1:]:
        if falling:
            low = min(low, point, key=lambda one: one[1])
            if point[1] > low[1] + depth:
                found.append(low)
                falling, high = False, point
        else:
            high = max(high, point, key=lambda one: one[1])
            if point[1] < high[1] - depth:
                falling, low = True, point
    return [*found, low] if falling and found and low[0] > found[-1][0] else found


def lows_of(part: Part) -> list[float]:
    """The lower quartiles of eight equal stretches of time: what is left when a saw-tooth has gone back."""
    width = span_of(part) / STRETCHES
    found: dict[int, list[float]] = defaultdict(list)
    for at, value in part:
        found[min(int((at - part[0][0]) / width), STRETCHES - 1)].append(value)
    return [sorted(values)[len(values) // 4] for values in found.values()]


def levels_off(part: Part) -> bool:
    """True where a logarithm of time fits better than time itself (least squares): it fills up ever more slowly."""
    span = span_of(part)
    times, values = [(at - part[0][0]) / span for at, _ in part], [value for _, value in part]
    bent = max(_fit([math.log1p(bend * time) for time in times], values) for bend in BENDS)
    return bent > _fit(times, values)


def _fit(causes: Sequence[float], values: Sequence[float]) -> float:
    """The share of the values' variance that follows the cause (the square of Pearson's correlation)."""
    cause, value = _mean(causes), _mean(values)
    both = sum((a - cause) * (b - value) for a, b in zip(causes, values, strict=True))
    return both**2 / (sum((a - cause) ** 2 for a in causes) * sum((b - value) ** 2 for b in values) or math.inf)


def split(part: Part) -> tuple[Part, Part]:
    """The two stretches that are each nearest to being flat: where one single step would be (least squares)."""
    count = len(part)
    total = sum(value for _, value in part)
    best, where, below = -1.0, 0, 0.0
    for index, (_, value) in enumerate(part[:-1], 1):
        below += value
        gain = below**2 / index + (total - below) ** 2 / (count - index)
        if gain > best:
            best, where = gain, index
    return part[:where], part[where:]


def correlation_of(parts: Sequence[Part], slope: float) -> float:
    """How alike neighbours are beside the trend (lag-one autocorrelation), 0 to 0.8; 0 where that may be chance."""
    from statistics import fmean

    above = below = 0.0
    count = 0
    for part in parts:
        rest = [value - slope * at for at, value in part]
        mean = fmean(rest) if rest else 0.0
        above += sum((a - mean) * (b - mean) for a, b in pairwise(rest))
        below += sum((a - mean) ** 2 for a in rest)
        count += len(rest)
    alike = above / below if below > 0 else 0.0
    return min(alike, 0.8) if count >= MANY and alike > 2 / math.sqrt(count) else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
