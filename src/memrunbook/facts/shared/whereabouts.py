"""Where the RAM of a host is, from /proc/meminfo and what other facts say of memory that it does not count."""

from __future__ import annotations

from collections.abc import Mapping

from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import FieldValues, Readings
from memrunbook.linux.places import HUGE, KERNEL, UNCOUNTED, Elsewhere, given, places, size_of

VMSTAT = "/proc/vmstat"


def placed(info: Mapping[str, int], balloon: int | None, readings: Readings, arc: int) -> FieldValues:
    """Where the RAM is, and sums over it, as fields of the memory fact; all sizes in bytes."""
    total = info["MemTotal"]
    elsewhere = Elsewhere(
        arc=arc,
        zram=_held(readings, "zram", "memory_used_bytes") or 0,
        zswap=_held(readings, "zswap", "pool_bytes") or 0,
        huge=_held(readings, "hugepages", "all_bytes"),
        balloon=balloon or 0,
    )
    found = places(info, elsewhere)
    uncounted, kernel = size_of(found, UNCOUNTED), size_of(found, KERNEL)
    foreign = numbers.fits(uncounted + elsewhere.balloon) or uncounted
    return {
        "places": found,
        "kernel_bytes": kernel,
        "kernel_percent": 100.0 * kernel / total,
        "huge_bytes": size_of(found, HUGE),
        "balloon_bytes": balloon,
        "unaccounted_bytes": uncounted,
        "unaccounted_percent": 100.0 * uncounted / total,
        "foreign_bytes": foreign,
        "foreign_percent": 100.0 * foreign / max(given(found), total),
    }


def ballooned(info: Mapping[str, int], vmstat: str, page: int | None) -> int | None:
    """Bytes in the balloon: on new kernels a counter says it, on others what went in less what came out."""
    events = numbers.keyed(vmstat)
    moved = events.get("balloon_inflate", 0) - events.get("balloon_deflate", 0)
    pages = events.get("nr_balloon_pages", max(moved, 0) if "balloon_inflate" in events else None)
    counted = None if pages is None or page is None else numbers.fits(pages * page)
    return info.get("Balloon", counted)


def _held(readings: Readings, fact: str, field: str) -> int | None:
    value = getattr(readings.get(fact), field, None)
    return value if isinstance(value, int) else None
