"""How fragmented a zone was when an allocation failed, by the free blocks that the report lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def by_zone(blocks: Mapping[str, Sequence[int]], order: int) -> dict[str, float]:
    """The fragmentation index of each zone with free memory (mm/vmstat.c, __fragmentation_index).

    -1: the zone has a block that is large enough; near 0 it lacks memory, near 1 it is fragmented.
    """
    return {zone: _index(counts, order) for zone, counts in blocks.items() if any(counts)}


def _index(counts: Sequence[int], order: int) -> float:
    if any(counts[order:]):
        return -1.0
    pages = sum(count << place for place, count in enumerate(counts))
    return round(1.0 - (1.0 + pages / (1 << order)) / sum(counts), 3)
