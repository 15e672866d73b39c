"""Where the memory sat when an event or a failure was told: that decides what can help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.account import OomPlace
from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, LogEvent, Picture
from memrunbook.linux.places import (
    ANONYMOUS,
    FILE,
    FREE,
    HUGE,
    PERCPU,
    SHARED,
    SLAB,
    STACKS,
    TABLES,
    UNCOUNTED,
    VMALLOC,
)

CACHES, LOCKED, SOCKETS, GROUP_KERNEL = "reclaimable slab", "locked", "sockets", "other kernel memory"
KERNELS = frozenset({SLAB, TABLES, STACKS, HUGE, UNCOUNTED, GROUP_KERNEL, PERCPU, SOCKETS, VMALLOC})
"""Places that no process can be blamed for, and that no kill empties."""
MOST = (1 << 63) - 1
NOTABLE = 0.05
MOSTLY = 0.5
SHOWN_CACHES = 2


def places(event: LogEvent) -> tuple[OomPlace, ...]:
    """Of the whole host, or of the group whose limit was hit; most first, free memory at the end."""
    return (
        of_group(event) if event.usage_kib is not None or event.group_kib else of_host(event, explain.page_kib(event))
    )


def of_host(picture: Picture, page_kib: int | None = None) -> tuple[OomPlace, ...]:
    """The places of a memory report."""
    told, counts = explain.of_host(picture, page_kib), picture.counts
    page = page_kib or picture.page_kib or USUAL_PAGE_KIB
    slab = told.slab_unreclaimable_kib
    sizes = {
        ANONYMOUS: told.anonymous_kib,
        FILE: told.file_kib,
        SHARED: told.shmem_kib,
        SLAB: _slab(picture, page) if slab is None else slab,
        CACHES: told.slab_reclaimable_kib,
        TABLES: told.page_tables_kib,
        STACKS: picture.stack_kib,
        HUGE: told.hugetlb_kib,
        LOCKED: counts["unevictable"] * page if "unevictable" in counts else None,
    }
    known = {name: size for name, size in sizes.items() if size is not None}
    rest = _uncounted(told, known, picture, page)
    details = {SLAB: ", ".join(_caches(picture))}
    return _listed({**known, UNCOUNTED: rest}, told.free_kib, details)


def of_group(event: LogEvent) -> tuple[OomPlace, ...]:
    """The places of a control group (memory.stat of version 2, or of version 1)."""
    stat, told = event.group_kib, explain.memory(event)
    sizes = {
        ANONYMOUS: told.anonymous_kib or 0,
        FILE: told.file_kib or 0,
        SHARED: told.shmem_kib or 0,
        SLAB: stat.get("slab_unreclaimable", 0),
        CACHES: stat.get("slab_reclaimable", 0),
        TABLES: stat.get("pagetables", 0),
        STACKS: stat.get("kernel_stack", 0),
        PERCPU: stat.get("percpu", 0),
        SOCKETS: stat.get("sock", 0),
        VMALLOC: stat.get("vmalloc", 0),
    }
    kernel = stat.get("kernel", stat.get("kmem", 0))
    counted = sum(sizes[name] for name in (SLAB, CACHES, TABLES, STACKS, PERCPU, VMALLOC))
    return _listed({**sizes, GROUP_KERNEL: kernel - counted}, None, {})


def largest(found: Iterable[OomPlace]) -> OomPlace | None:
    """The place that holds most; free memory is none."""
    return max((place for place in found if place.name != FREE), key=lambda place: place.size_bytes, default=None)


def kernel_share(found: Iterable[OomPlace]) -> float:
    """The part of what is used that the kernel holds."""
    used = [place for place in found if place.name != FREE]
    total = sum(place.size_bytes for place in used)
    return sum(place.size_bytes for place in used if place.name in KERNELS) / total if total else 0.0


def _slab(picture: Picture, page: int) -> int | None:
    """Without its own counter: before 2.6.19 one for both kinds, else what the printed caches hold at least."""
    if "slab" in picture.counts:
        return picture.counts["slab"] * page
    return sum(picture.caches.values()) or None


def _uncounted(told: explain.MemoryAccount, known: Mapping[str, int], picture: Picture, page: int) -> int:
    """RAM less all counters: what GPUs, drivers, balloons and the kernel itself took page by page."""
    if told.total_kib is None or ANONYMOUS not in known or (told.free_kib is None) or SLAB not in known:
        return 0
    moving = sum(picture.counts.get(name, 0) for name in ("free_pcp", "isolated_anon", "isolated_file")) * page
    rest = told.total_kib - told.free_kib - moving - sum(known.values())
    return rest if rest >= NOTABLE * told.total_kib else 0


def _listed(sizes: Mapping[str, int], free: int | None, details: Mapping[str, str]) -> tuple[OomPlace, ...]:
    found = [_place(name, size, details.get(name, "")) for name, size in sizes.items() if size > 0]
    found.sort(key=lambda place: -place.size_bytes)
    return (*found, *([] if free is None else [_place(FREE, free)]))


def _place(name: str, kib: int, detail: str = "") -> OomPlace:
    return OomPlace(name=name, size_bytes=min(kib * KIB, MOST), detail=detail)


def _caches(picture: Picture) -> list[str]:
    most = sorted(picture.caches.items(), key=lambda item: -item[1])[:SHOWN_CACHES]
    return [f"{name} {format_bytes(size * KIB)}" for name, size in most]
