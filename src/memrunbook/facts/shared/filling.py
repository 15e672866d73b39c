"""Whether a watch still has time: how long memory and swap last, and whether the OOM killer came meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from memrunbook.core.reading.fact import Samples
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import intervals

MEMINFO, VMSTAT = "/proc/meminfo", "/proc/vmstat"
LITTLE = 0.25
"""Of memory and swap together: with more room a fall may end as it began, and the watch is there to tell."""
STEADY = 2


def is_overtaken(samples: Samples, every: float, left: float) -> bool:
    """True where the next readings of a watch, `every` so many seconds for the `left` ones, come too late.

    That is when the OOM killer came since it began; when memory and swap are full before the next reading; or before
    its end, while they fell in two intervals and little of them is left.
    """
    kills = [counted["oom_kill"] for counted in _said(samples, VMSTAT) if "oom_kill" in counted]
    if kills and kills[-1] > kills[0]:
        return True
    pairs = intervals(samples, MEMINFO)[-STEADY:]
    falls = [_room(pair.before) - _room(pair.after) for pair in pairs]
    if not falls or falls[-1] <= 0:
        return False
    after = pairs[-1].after
    lasts = _room(after) * pairs[-1].seconds / falls[-1]
    whole = after.get("MemTotal", 0) + after.get("SwapTotal", 0)
    steady = len(falls) == STEADY and falls[0] > 0
    return lasts <= every or (lasts <= left and steady and _room(after) < LITTLE * whole)


def _said(samples: Samples, key: str) -> list[Mapping[str, int]]:
    return [numbers.keyed(text) for sample in samples if (text := sample.text(key)) is not None]


def _room(info: Mapping[str, int]) -> int:
    """What is left in bytes; before 3.14, which has no MemAvailable, free memory and the page cache."""
    available = info.get("MemAvailable", info.get("MemFree", 0) + info.get("Cached", 0))
    return available + info.get("SwapFree", 0)
