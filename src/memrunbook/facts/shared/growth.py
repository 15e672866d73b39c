"""How fast something grew over the samples, and whether it grows steadily or only moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from memrunbook.core.reading import trend
from memrunbook.core.reading.fact import Samples
from memrunbook.core.reading.trend import LEAST_POINTS
from memrunbook.core.units import MIB, MINUTE
from memrunbook.facts.shared.sampling import LEAST_SECONDS, FieldValues
from memrunbook.linux.service import Growth

FAST_BYTES_PER_SECOND = MIB
FAST_PERCENT_PER_MINUTE = 1.0
MOST_POINTS = 60
"""A trend compares all pairs of points: a longer series is thinned to at most so many."""


def thinned(samples: Samples) -> Samples:
    """At most sixty of the samples, evenly spread, the newest among them."""
    return samples[:: -math.ceil(len(samples) / MOST_POINTS)][::-1]


def growth_of(points: Sequence[tuple[float, int | None]]) -> Growth:
    """The growth of a size in bytes over times in seconds; unknown where a point is missing.

    A watched series (eight points and more) is judged by its trend; of a shorter one every interval must grow.
    """
    known = [(time, size) for time, size in points if size is not None]
    pair = len(known) == len(points) > 1
    if not pair or known[-1][0] - known[0][0] < LEAST_SECONDS:
        return Growth()
    if len(known) < LEAST_POINTS:
        (began, first), (ended, last) = known[0], known[-1]
        steady = all(before < after for (_, before), (_, after) in pairwise(known))
        return Growth(int((last - first) / (ended - began)), steady)
    return Growth(int(trend.slope(known)), trend.rises(known))


def rising(points: Sequence[tuple[float, int | None]], ram: int | None) -> FieldValues:
    """The fields `growth_bytes_per_second` and `growing` of a fact, for a size in bytes on a host of this RAM.

    It is growing where it does so steadily, and faster than 1 MiB/s or 1 % of RAM a minute, whichever is less.
    """
    grown = growth_of(points)
    return {"growth_bytes_per_second": grown.bytes_per_second, "growing": is_fast(grown, ram)}


def is_fast(grown: Growth, ram: int | None) -> bool:
    """True for steady growth of more than 1 MiB/s, or 1 % of this RAM a minute."""
    fast = [float(FAST_BYTES_PER_SECOND)]
    if ram:
        fast.append(ram * FAST_PERCENT_PER_MINUTE / 100 / MINUTE)
    return grown.steady and (grown.bytes_per_second or 0) > min(fast)
