"""How fragmented free memory is, by the free blocks of each order: the kernel's two indices (mm/vmstat.c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def pages_in(blocks: Sequence[int]) -> int:
    """The pages in so many free blocks of each order."""
    return sum(count << order for order, count in enumerate(blocks))


def unusable_index(blocks: Sequence[int], order: int) -> float:
    """The share of free pages in blocks too small for the order; 1 where nothing is free."""
    pages = pages_in(blocks)
    fitting = sum(count << place for place, count in enumerate(blocks) if place >= order)
    return (pages - fitting) / pages if pages else 1.0


def fragmentation_index(blocks: Sequence[int], order: int) -> float:
    """Why a request of this order would fail: 0 lack of memory, 1 fragmentation; -1 where it would succeed."""
    total = sum(blocks)
    if not total:
        return 0.0
    if any(blocks[order:]):
        return -1.0
    return 1.0 - (1.0 + pages_in(blocks) / (1 << order)) / total


def by_zone(blocks: Mapping[str, Sequence[int]], order: int) -> dict[str, float]:
    """The fragmentation index of each zone with free memory, to three decimals as the kernel shows it."""
    return {zone: round(fragmentation_index(counts, order), 3) for zone, counts in blocks.items() if any(counts)}
