"""Robust trends of a series: its slope, and how sure it is that the series rises. Pure.

A least-squares line follows one spike at the end; the median of all pairwise slopes does not, and a saw-tooth or a
single step rises without order, which Kendall's sum sees.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

TimePoint = tuple[float, float]
"""A time in seconds and a value."""

LEAST_POINTS = 8
"""Fewer points cannot show an order that chance would not (domain rule: n >= 8)."""
SIGNIFICANT = 3.0
"""From this z on a rise is no chance (about one in 700)."""


def slope(points: Sequence[TimePoint]) -> float:
    """The Theil-Sen slope per second: the median of the slopes of all pairs of points at different times.

    0 where there is no such pair. Sen, J. Am. Stat. Assoc. 63 (1968) 1379.
    """
    from statistics import median  # with fractions and random, 10 ms: only a watch has a trend

    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 != x1]
    return median(slopes) if slopes else 0.0


def significance(values: Sequence[float]) -> float:
    """The Mann-Kendall z of values in the order of time: above 0 they rise, below 0 they fall.

    S is the number of pairs that rise less those that fall; its variance takes equal values together, and S is
    brought nearer to 0 by one for continuity. Kendall, Rank Correlation Methods (1975), chapter 4; Mann 1945.
    """
    n = len(values)
    ties = Counter(values).values()
    variance = (_spread(n) - sum(_spread(tied) for tied in ties)) / 18
    score = sum((after > before) - (after < before) for before, after in combinations(values, 2))
    return math.copysign(abs(score) - 1, score) / math.sqrt(variance) if score and variance > 0 else 0.0


def rises(points: Sequence[TimePoint]) -> bool:
    """True when the series rises beyond chance and still does so at its end: with half its slope in the last third.

    What warms up and then stays flat rose too, but is no leak. Fewer than eight points never say so.
    """
    if len(points) < LEAST_POINTS or significance([value for _, value in points]) < SIGNIFICANT:
        return False
    return slope(points[-(len(points) // 3 + 1) :]) >= slope(points) / 2 > 0


def _spread(n: int) -> int:
    return n * (n - 1) * (2 * n + 5)
