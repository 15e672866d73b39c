"""Robust trends of a series: its slope, and how sure it is that the series rises. Pure.

A least-squares line follows one spike at the end; the median of all pairwise slopes does not, and a saw-tooth or a
single step rises without order, which Kendall's sum sees.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from msgspec import Struct

TimePoint = tuple[float, float]
"""A time in seconds and a value."""

LEAST_POINTS = 8
"""Fewer points cannot show an order that chance would not (domain rule: n >= 8)."""
SIGNIFICANT = 3.0
"""From this z on a rise is no chance (about one in 700)."""
CONFIDENT = 1.959964
"""The normal quantile of an interval that holds the true slope 95 times of 100."""


class Trend(Struct, frozen=True):
    """The Theil-Sen slope per second with its 95 % interval, and the Mann-Kendall z; all 0 where nothing is paired."""

    slope: float = 0.0
    low: float = 0.0
    high: float = 0.0
    z: float = 0.0


def slope(points: Sequence[TimePoint]) -> float:
    """The Theil-Sen slope per second: the median of the slopes of all pairs of points at different times.

    0 where there is no such pair. Sen, J. Am. Stat. Assoc. 63 (1968) 1379.
    """
    from statistics import median  # with fractions and random, 10 ms: only a watch has a trend

    slopes = _slopes(points)
    return median(slopes) if slopes else 0.0


def significance(values: Sequence[float]) -> float:
    """The Mann-Kendall z of values in the order of time: above 0 they rise, below 0 they fall.

    S is the number of pairs that rise less those that fall; its variance takes equal values together, and S is
    brought nearer to 0 by one for continuity. Kendall, Rank Correlation Methods (1975), chapter 4; Mann 1945.
    """
    return _z(score(values), _variance(values))


def score(values: Sequence[float]) -> int:
    """Kendall's sum: how many more pairs rise than fall."""
    return sum((after > before) - (after < before) for before, after in combinations(values, 2))


def trend(parts: Sequence[Sequence[TimePoint]], correlation: float = 0.0) -> Trend:
    """The trend that several series have in common: only points of one series are compared, then all pairs are pooled.

    With one series this is Theil-Sen and Mann-Kendall. With series that are hours of the day it is the seasonal Kendall
    test (Hirsch, Slack and Smith, Water Resour. Res. 18 (1982) 107), and lives of a service pool in the same way: the
    sums and their variances add up. The interval is Sen's: of N slopes in order those at (N -+ 1.96 sqrt(Var S)) / 2
    (Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), 16.4.2). Neighbours that are alike by
    `correlation` (lag one) count for fewer: Var S grows by (1 + r) / (1 - r) (Bayley and Hammersley 1946).
    """
    from statistics import median

    slopes = sorted(one for part in parts for one in _slopes(part))
    if not slopes:
        return Trend()
    values = [[value for _, value in part] for part in parts]
    variance = sum(map(_variance, values)) * (1 + correlation) / (1 - correlation)
    half, count = CONFIDENT * math.sqrt(variance) / 2, len(slopes)
    low, high = math.floor(count / 2 - half) - 1, math.ceil(count / 2 + half)
    return Trend(
        slope=median(slopes),
        low=slopes[max(low, 0)],
        high=slopes[min(high, count - 1)],
        z=_z(sum(map(score, values)), variance),
    )


def most_of(parts: Sequence[Sequence[TimePoint]]) -> float:
    """The z that so many points have at most: where each one lies above all those before it."""
    pairs = sum(len(part) * (len(part) - 1) // 2 for part in parts)
    return _z(pairs, sum(_spread(len(part)) for part in parts) / 18)


def rises(points: Sequence[TimePoint]) -> bool:
    """True when the series rises beyond chance and still does so at its end: with half its slope in the last third.

    What warms up and then stays flat rose too, but is no leak. Fewer than eight points never say so.
    """
    if len(points) < LEAST_POINTS or significance([value for _, value in points]) < SIGNIFICANT:
        return False
    return slope(points[-(len(points) // 3 + 1) :]) >= slope(points) / 2 > 0


def _slopes(points: Sequence[TimePoint]) -> list[float]:
    return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 != x1]


def _variance(values: Sequence[float]) -> float:
    return (_spread(len(values)) - sum(_spread(tied) for tied in Counter(values).values())) / 18


def _z(score: int, variance: float) -> float:
    return math.copysign(abs(score) - 1, score) / math.sqrt(variance) if score and variance > 0 else 0.0


def _spread(n: int) -> int:
    return n * (n - 1) * (2 * n + 5)
