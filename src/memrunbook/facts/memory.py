"""Memory of the host: what is free, what is available, and what holds the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable, Whole
from memrunbook.core.reading.figures import Figure
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.growth import rising, thinned
from memrunbook.facts.shared.leaking import Leaks, leaking_kernel
from memrunbook.facts.shared.sampling import FieldValues, Readings, latest
from memrunbook.facts.shared.whereabouts import CHARGED, VMSTAT, ballooned, placed
from memrunbook.linux.places import Elsewhere, Place, charged_beside

MEMINFO = "/proc/meminfo"
ARCSTATS = "/proc/spl/kstat/zfs/arcstats"
MIN_FREE = "/proc/sys/vm/min_free_kbytes"
BYTES, PERCENT = Unit.BYTES, Unit.PERCENT
KEYS = {
    "free_bytes": "MemFree",
    "buffers_bytes": "Buffers",
    "cached_bytes": "Cached",
    "shared_bytes": "Shmem",
    "active_bytes": "Active",
    "inactive_bytes": "Inactive",
    "active_anonymous_bytes": "Active(anon)",
    "inactive_anonymous_bytes": "Inactive(anon)",
    "active_file_bytes": "Active(file)",
    "inactive_file_bytes": "Inactive(file)",
    "unevictable_bytes": "Unevictable",
    "mlocked_bytes": "Mlocked",
    "dirty_bytes": "Dirty",
    "writeback_bytes": "Writeback",
    "anonymous_bytes": "AnonPages",
    "mapped_bytes": "Mapped",
    "kernel_stack_bytes": "KernelStack",
    "page_tables_bytes": "PageTables",
    "percpu_bytes": "Percpu",
    "slab_reclaimable_bytes": "SReclaimable",
    "vmalloc_used_bytes": "VmallocUsed",
    "commit_limit_bytes": "CommitLimit",
    "committed_bytes": "Committed_AS",
    "hardware_corrupted_bytes": "HardwareCorrupted",
    "zswap_bytes": "Zswap",
    "zswapped_bytes": "Zswapped",
}
GROWS = ("AnonPages", "Shmem")
"""What a leak of processes fills, and swap."""


class MemoryReading(Reading, frozen=True, kw_only=True):
    """Memory in bytes; percentages are of the total where nothing else is said."""

    total_bytes: Annotated[int, Doc("RAM that the kernel manages", BYTES, "/proc/meminfo MemTotal")]
    free_bytes: Annotated[int, Doc("RAM that nobody uses; low is normal", BYTES, "/proc/meminfo MemFree")]
    free_percent: Annotated[float, Doc("free share of RAM", PERCENT, "MemFree / MemTotal")]
    available_bytes: Annotated[
        int, Doc("what new work can have without swapping; ZFS's ARC added", BYTES, "/proc/meminfo MemAvailable")
    ]
    available_percent: Annotated[float, Doc("available share of RAM", PERCENT, "MemAvailable / MemTotal")]
    available_estimated: Annotated[
        bool, Doc("available is not the kernel's own figure: before 3.14, or the ARC was added", source=ARCSTATS)
    ]
    used_bytes: Annotated[int, Doc("used: what is not available", BYTES, "MemTotal - MemAvailable")]
    used_percent: Annotated[float, Doc("used share of RAM", PERCENT, "(MemTotal - MemAvailable) / MemTotal")]
    buffers_bytes: Annotated[int | None, Doc("cache of block devices", BYTES, "/proc/meminfo Buffers")] = None
    cached_bytes: Annotated[int | None, Doc("file cache, tmpfs included", BYTES, "/proc/meminfo Cached")] = None
    shared_bytes: Annotated[
        int | None, Doc("tmpfs and shared memory: swapped or deleted, never dropped", BYTES, "/proc/meminfo Shmem")
    ] = None
    shared_percent: Annotated[float | None, Doc("shared share of RAM", PERCENT, "Shmem / MemTotal")] = None
    active_bytes: Annotated[int | None, Doc("recently used pages", BYTES, "/proc/meminfo Active")] = None
    inactive_bytes: Annotated[int | None, Doc("pages to reclaim first", BYTES, "/proc/meminfo Inactive")] = None
    active_anonymous_bytes: Annotated[
        int | None, Doc("recently used anonymous pages and tmpfs", BYTES, "/proc/meminfo Active(anon)")
    ] = None
    inactive_anonymous_bytes: Annotated[
        int | None, Doc("anonymous pages and tmpfs to swap first", BYTES, "/proc/meminfo Inactive(anon)")
    ] = None
    active_file_bytes: Annotated[int | None, Doc("recently used file pages", BYTES, "/proc/meminfo Active(file)")] = (
        None
    )
    inactive_file_bytes: Annotated[
        int | None, Doc("file pages to reclaim first", BYTES, "/proc/meminfo Inactive(file)")
    ] = None
    unevictable_bytes: Annotated[
        int | None, Doc("pages that cannot be reclaimed", BYTES, "/proc/meminfo Unevictable")
    ] = None
    mlocked_bytes: Annotated[int | None, Doc("pages locked by mlock", BYTES, "/proc/meminfo Mlocked")] = None
    dirty_bytes: Annotated[int | None, Doc("file pages to be written", BYTES, "/proc/meminfo Dirty")] = None
    writeback_bytes: Annotated[int | None, Doc("file pages being written", BYTES, "/proc/meminfo Writeback")] = None
    anonymous_bytes: Annotated[int | None, Doc("heaps and stacks", BYTES, "/proc/meminfo AnonPages")] = None
    mapped_bytes: Annotated[int | None, Doc("mapped file pages", BYTES, "/proc/meminfo Mapped")] = None
    kernel_stack_bytes: Annotated[int | None, Doc("kernel stacks", BYTES, "/proc/meminfo KernelStack")] = None
    page_tables_bytes: Annotated[int | None, Doc("page tables", BYTES, "/proc/meminfo PageTables")] = None
    page_tables_percent: Annotated[float | None, Doc("page tables, of RAM", PERCENT, "PageTables / MemTotal")] = None
    kernel_bytes: Annotated[
        int,
        Doc("what the kernel holds for itself: slab, page tables, stacks, per-CPU, vmalloc, buffers", BYTES, MEMINFO),
    ] = 0
    slab_reclaimable_bytes: Annotated[
        int | None, Doc("of this, what it gives back on demand", BYTES, "/proc/meminfo SReclaimable")
    ] = None
    kernel_percent: Annotated[float, Doc("that, of RAM", PERCENT, MEMINFO)] = 0.0
    huge_bytes: Annotated[int, Doc("pools of huge pages of every size, used or not", BYTES, "Hugetlb, sysfs")] = 0
    shared_mapped_bytes: Annotated[
        int | None,
        Doc("of the shared memory, at least so much is mapped by processes", BYTES, "Mapped - (Cached - Shmem)"),
    ] = None
    percpu_bytes: Annotated[int | None, Doc("per-CPU memory", BYTES, "/proc/meminfo Percpu")] = None
    vmalloc_used_bytes: Annotated[
        int | None, Doc("vmalloc; 0 on kernels that do not count it", BYTES, "/proc/meminfo VmallocUsed")
    ] = None
    commit_limit_bytes: Annotated[
        int | None, Doc("promises allowed when overcommit is off", BYTES, "/proc/meminfo CommitLimit")
    ] = None
    committed_bytes: Annotated[int | None, Doc("memory promised", BYTES, "/proc/meminfo Committed_AS")] = None
    committed_percent: Annotated[
        float | None, Doc("promised share of the limit", PERCENT, "Committed_AS / CommitLimit")
    ] = None
    hardware_corrupted_bytes: Annotated[
        int | None, Doc("RAM found broken", BYTES, "/proc/meminfo HardwareCorrupted")
    ] = None
    balloon_bytes: Annotated[
        int | None,
        Doc("taken back by the hypervisor", BYTES, "meminfo Balloon, vmstat nr_balloon_pages, balloon_inflate"),
    ] = None
    zswap_bytes: Annotated[int | None, Doc("RAM that zswap uses", BYTES, "/proc/meminfo Zswap")] = None
    zswapped_bytes: Annotated[int | None, Doc("what zswap holds", BYTES, "/proc/meminfo Zswapped")] = None
    unaccounted_bytes: Annotated[
        int, Doc("RAM in no counter: drivers, balloons, network buffers", BYTES, "MemTotal less all counters")
    ]
    unaccounted_percent: Annotated[float, Doc("unaccounted share of RAM", PERCENT, "MemTotal less all counters")]
    foreign_bytes: Annotated[
        int,
        Doc("balloon and drivers: the balloon's counter, and what is in no counter", BYTES, "unaccounted + balloon"),
    ] = 0
    foreign_percent: Annotated[
        float, Doc("that, of the RAM with what a balloon took out of it", PERCENT, "unaccounted + balloon")
    ] = 0.0
    places: Annotated[
        list[Place] | None, Doc("where the RAM is, in the order in which a diagnosis tells it", source=MEMINFO)
    ] = None
    growth_bytes_per_second: Annotated[
        int | None,
        Doc("growth of anonymous and shared memory and swap over the samples", Unit.BYTES_PER_SECOND, MEMINFO),
    ] = None
    growing: Annotated[
        bool,
        Doc("that grew in every interval (watched: by its trend), over 1 MiB/s or 1 % of RAM a minute", source=MEMINFO),
    ] = False
    leaking: Leaks = None
    watched_seconds: Annotated[float, Doc("what the samples span; 0 for one", Unit.SECONDS, "/proc/uptime")] = 0.0
    samples: Annotated[int, Doc("readings that growth rests on", Unit.COUNT, "the read itself")] = 1
    droppable_bytes: Annotated[
        int, Doc("what drop_caches could free", BYTES, "Cached + Buffers + SReclaimable - Shmem - Dirty")
    ]
    droppable_percent: Annotated[float, Doc("droppable share of RAM", PERCENT, "droppable / MemTotal")]
    arc_reclaimable_bytes: Annotated[
        int | None, Doc("ZFS cache that it gives back on demand", BYTES, f"{ARCSTATS} size - c_min")
    ] = None


def total_bytes(readings: Readings) -> int | None:
    """The host's RAM in bytes, None where it is unknown."""
    memory = readings.get("memory")
    return memory.total_bytes if isinstance(memory, MemoryReading) else None


def parse(samples: Samples, readings: Readings) -> MemoryReading | Unavailable:
    """Reads the newest meminfo; without MemTotal and MemFree there is no reading."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    total, free = info.get("MemTotal"), info.get("MemFree")
    if not total or free is None:
        return Unavailable("failed", f"{MEMINFO} holds no MemTotal or no MemFree")
    arc = _arc(latest(samples, ARCSTATS).text)
    reclaimable = max(arc["size"] - arc["c_min"], 0) if arc else None
    own = info.get("MemAvailable")
    available = _estimate(info, latest(samples, MIN_FREE).text) if own is None else own
    available = min(available + (reclaimable or 0), total)
    droppable = _droppable(info, total)
    balloon = ballooned(info, latest(samples, VMSTAT).text, page_size(readings))
    buffers = charged_beside(numbers.keyed(latest(samples, CHARGED).text))
    known = Elsewhere(arc=arc.get("size", 0), balloon=balloon or 0, buffers=buffers)
    counted: FieldValues = {field: info.get(key) for field, key in KEYS.items()}
    return MemoryReading(
        total_bytes=total,
        free_percent=100.0 * free / total,
        available_bytes=available,
        available_percent=100.0 * available / total,
        available_estimated=own is None or bool(reclaimable),
        used_bytes=total - available,
        used_percent=100.0 * (total - available) / total,
        shared_percent=numbers.share(info.get("Shmem"), total),
        shared_mapped_bytes=_mapped(info),
        committed_percent=numbers.share(info.get("Committed_AS"), info.get("CommitLimit")),
        page_tables_percent=numbers.share(info.get("PageTables"), total),
        droppable_bytes=droppable,
        droppable_percent=100.0 * droppable / total,
        arc_reclaimable_bytes=reclaimable,
        balloon_bytes=balloon,
        **placed(info, known, readings),
        **rising([(one.before, _processes(numbers.keyed(one.text(MEMINFO) or ""))) for one in thinned(samples)], total),
        watched_seconds=max(0.0, samples[-1].before - samples[0].before),
        samples=len(samples),
        **counted,
    )


def _mapped(info: Mapping[str, int]) -> int | None:
    """Mapped pages are of files or of shared memory: what is more than all files have must be shared memory."""
    if "Mapped" not in info or "Shmem" not in info:
        return None
    files = info.get("Cached", 0) + info.get("Buffers", 0) - info["Shmem"]
    return min(max(info["Mapped"] - max(files, 0), 0), info["Shmem"])


def _processes(info: Mapping[str, int]) -> int | None:
    """What processes hold, in bytes; swap counts less what is in memory too."""
    if not info.keys() >= set(GROWS):
        return None
    swap = info.get("SwapTotal", 0) - info.get("SwapFree", 0) - info.get("SwapCached", 0)
    return sum(info[name] for name in GROWS) + max(swap, 0)


def _estimate(info: Mapping[str, int], min_free: str) -> int:
    """MemAvailable before 3.14, as procps estimates it; MemFree where its parts are missing too."""
    low = (numbers.whole(min_free) or 0) * numbers.KIB * 5 // 4
    free, slab = info["MemFree"], info.get("SReclaimable", 0)
    file = info.get("Active(file)", 0) + info.get("Inactive(file)", 0)
    if not low:
        return free
    return max(free - low + file - min(file // 2, low) + slab - min(slab // 2, low), 0)


def _droppable(info: Mapping[str, int], total: int) -> int:
    cache = info.get("Cached", 0) + info.get("Buffers", 0) + info.get("SReclaimable", 0)
    return min(max(cache - info.get("Shmem", 0) - info.get("Dirty", 0), 0), total)


def _arc(text: str) -> dict[str, int]:
    """`size` and `c_min` where both are there: https://github.com/openzfs/zfs/issues/10255."""
    found = re.findall(r"^(size|c_min)[ \t]+\d+[ \t]+(\d{1,18})[ \t]*$", text, re.MULTILINE | re.ASCII)
    arc = {name: int(value) for name, value in found}
    return arc if len(arc) == len(("size", "c_min")) else {}


FACT = Fact(
    reading=MemoryReading,
    recall=leaking_kernel,
    parse=parse,
    asks=(Read(MEMINFO, each=True), Read(VMSTAT, each=True), Read(ARCSTATS), Read(CHARGED), Whole(MIN_FREE)),
    needs=("host", "hugepages", "zram", "zswap"),
    meaning="memory of the host",
    history=(
        Figure("available_bytes", limit="total_bytes"),
        Figure("free_bytes", limit="total_bytes"),
        Figure("anonymous_bytes", limit="total_bytes"),
        Figure("shared_bytes", limit="total_bytes"),
        Figure("dirty_bytes"),
        Figure("unaccounted_bytes", limit="total_bytes"),
        Figure("percpu_bytes", kind="kernel"),
        Figure("page_tables_bytes", kind="kernel"),
    ),
)
