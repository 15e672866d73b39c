"""Where the RAM of a host is: places that share all of it between them, from the counters of /proc/meminfo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit

FREE, ANONYMOUS, FILE, SHARED = "free", "anonymous", "page cache", "shared memory"
SLAB, TABLES, STACKS, PERCPU, VMALLOC = "slab", "page tables", "kernel stacks", "per-CPU", "vmalloc"
HUGE, UNCOUNTED, BALLOON, KERNEL = "huge pages", "in no counter", "balloon", "kernel"
BUFFERS = "buffers of pipes and sockets"
KERNEL_PARTS = (SLAB, TABLES, STACKS, PERCPU, VMALLOC, BUFFERS)
CHARGED = (
    "kernel_stack",
    "pagetables",
    "sec_pagetables",
    "percpu",
    "vmalloc",
    "slab_reclaimable",
    "slab_unreclaimable",
)
MATTERS_PERCENT = 1.0
SLACK_PERCENT = 1.0
"""Counters are read one after another: so much is no balloon."""


class Place(Struct, frozen=True):
    """Something that holds RAM."""

    name: Annotated[str, Doc("what holds it", source="/proc/meminfo")]
    bytes: Annotated[int, Doc("RAM that it holds", Unit.BYTES, "/proc/meminfo")]
    percent: Annotated[float, Doc("that, of all RAM", Unit.PERCENT, "/proc/meminfo")]
    kernel: Annotated[bool, Doc("the kernel holds it for itself", source="/proc/meminfo")] = False


class Elsewhere(Struct, frozen=True, kw_only=True):
    """What /proc/meminfo does not count, or only on newer kernels, in bytes."""

    arc: int = 0
    zram: int = 0
    zswap: int = 0
    huge: int | None = None
    buffers: int = 0
    balloon: int = 0


def places(info: Mapping[str, int], elsewhere: Elsewhere) -> list[Place]:
    """All places of /proc/meminfo's MemTotal, in the order in which people ask for them; those of 0 bytes are left out.

    `info` holds bytes by the kernel's names; what a kernel has no counter for is "in no counter". A balloon mostly
    lowers MemTotal: it then stands beside the others.
    """
    total, shared = info.get("MemTotal", 0), info.get("Shmem", 0)
    cache = sum(info.get(name, 0) for name in ("Cached", "Buffers"))
    held = {
        ANONYMOUS: info.get("AnonPages", 0) + _swap_cache_alone(info),
        FILE: max(cache - shared, 0),
        SHARED: shared,
        **_kernel(info),
        BUFFERS: 0,
        HUGE: _huge(info, elsewhere),
        "ZFS cache": elsewhere.arc,
        "zram": elsewhere.zram,
        "zswap": info.get("Zswap", elsewhere.zswap),
    }
    left = max(total - info.get("MemFree", 0) - sum(held.values()), 0)
    held[BUFFERS] = min(elsewhere.buffers, left)
    left -= held[BUFFERS]
    counted = left >= elsewhere.balloon * (1 - SLACK_PERCENT / 100)
    held |= {BALLOON: elsewhere.balloon, UNCOUNTED: max(left - elsewhere.balloon, 0) if counted else left}
    held |= {FREE: info.get("MemFree", 0)}
    return [Place(name, size, 100.0 * size / total, name in KERNEL_PARTS) for name, size in held.items() if size]


def size_of(found: Iterable[Place], name: str) -> int:
    """The bytes of one place, 0 where it is not among them; "kernel" is all of the kernel's own together."""
    return sum(one.bytes for one in found if one.name == name or (name == KERNEL and one.kernel))


def given(found: Iterable[Place]) -> int:
    """All RAM that these places hold, what a balloon took out of it too, in bytes."""
    return sum(one.bytes for one in found)


def shown(found: Iterable[Place]) -> list[tuple[str, int, list[Place]]]:
    """What matters of these, in order: a name, its bytes and what is told of it in brackets; free memory apart.

    What the kernel holds for itself is one of them; its parts are told where they hold 1 % of RAM and more.
    """
    kept = [one for one in found if one.name != FREE]
    kernel = [one for one in kept if one.kernel]
    rows: list[tuple[str, int, list[Place]]] = []
    for one in kept:
        if not one.kernel:
            rows += [(one.name, one.bytes, [])] if one.percent >= MATTERS_PERCENT else []
        elif one is kernel[0] and sum(part.percent for part in kernel) >= MATTERS_PERCENT:
            parts = [part for part in kernel if part.percent >= MATTERS_PERCENT]
            parts.sort(key=lambda part: part.bytes, reverse=True)
            rows.append((KERNEL, size_of(kernel, KERNEL), parts))
    return rows


def _swap_cache_alone(info: Mapping[str, int]) -> int:
    """Pages of the swap cache that no process maps: those that one maps are in AnonPages too (mm/rmap.c).

    Of all pages on the lists of reclaim they are what is neither mapped anonymous nor page cache.
    """
    cached = info.get("SwapCached", 0)
    if "Active" not in info or "Inactive" not in info:
        return cached
    listed = sum(info.get(name, 0) for name in ("Active", "Inactive", "Unevictable"))
    return min(max(listed - sum(info.get(name, 0) for name in ("AnonPages", "Cached", "Buffers")), 0), cached)


def _kernel(info: Mapping[str, int]) -> dict[str, int]:
    """The stacks of threads are pages of vmalloc (CONFIG_VMAP_STACK, 4.9): what both counters hold counts once."""
    stacks = info.get("KernelStack", 0)
    sizes = (
        info.get("Slab", 0),
        info.get("PageTables", 0) + info.get("SecPageTables", 0),
        stacks,
        info.get("Percpu", 0),
        max(info.get("VmallocUsed", 0) - stacks, 0),
    )
    return dict(zip(KERNEL_PARTS, sizes, strict=False))


def charged_beside(stat: Mapping[str, int]) -> int:
    """Kernel memory that is charged to control groups but stands in no counter of /proc/meminfo, in bytes.

    `stat` is memory.stat of the root (5.18): `kernel` is all that is charged, other lines are what the host counts too.
    """
    counted = sum(stat.get(name, 0) for name in CHARGED)
    return max(stat.get("kernel", 0) - counted, 0)


def _huge(info: Mapping[str, int], elsewhere: Elsewhere) -> int:
    """Pools of every size: Hugetlb (4.16); before it what sysfs says, else the pool of the default size."""
    default = info.get("HugePages_Total", 0) * info.get("Hugepagesize", 0)
    return info.get("Hugetlb", default if elsewhere.huge is None else elsewhere.huge)
