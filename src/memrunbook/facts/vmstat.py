"""The kernel's memory events: faults, stalls, reclaim, refaults, compaction, as rates over our own samples."""

from __future__ import annotations

from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.reading.figures import Figure
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import (
    NO_PAGE_SIZE,
    ONE_SAMPLE,
    FieldValues,
    Interval,
    Rate,
    Readings,
    grown,
    intervals,
    latest,
    per_second,
    split,
    whole_per_second,
)  # fmt: skip

VMSTAT = "/proc/vmstat"
PER_SECOND = Unit.PER_SECOND
ZONES = ("dma", "dma32", "normal", "high", "movable", "device")


def _zoned(*names: str) -> tuple[str, ...]:
    """A counter under its own name and, on kernels that count by zone, under each zone's.

    Never by prefix: pgscan_direct_throttle and pgsteal_anon are other things.
    """
    return (*names, *(f"{name}_{zone}" for name in names for zone in ZONES))


REFAULTS = ("workingset_refault", "workingset_refault_anon", "workingset_refault_file")
DIRECT_SCANS, DIRECT_STEALS = _zoned("pgscan_direct"), _zoned("pgsteal_direct")
SCANS = (*_zoned("pgscan_kswapd", "pgscan_direct"), "pgscan_khugepaged", "pgscan_proactive")
STEALS = (*_zoned("pgsteal", "pgsteal_kswapd", "pgsteal_direct"), "pgsteal_khugepaged", "pgsteal_proactive")
RATES = {
    "major_faults_per_second": Rate(("pgmajfault",)),
    "major_faults_per_second_min": Rate(("pgmajfault",), lowest=True),
    "faults_per_second": Rate(("pgfault",)),
    "allocstalls_per_second": Rate(_zoned("allocstall")),
    "kswapd_scans_per_second": Rate(_zoned("pgscan_kswapd")),
    "direct_scans_per_second": Rate(DIRECT_SCANS),
    "kswapd_steals_per_second": Rate(_zoned("pgsteal_kswapd")),
    "direct_steals_per_second": Rate(DIRECT_STEALS),
    "refaults_per_second": Rate(REFAULTS),
    "anonymous_refaults_per_second": Rate(("workingset_refault_anon",)),
    "file_refaults_per_second": Rate(("workingset_refault", "workingset_refault_file")),
    "file_refaults_per_second_min": Rate(("workingset_refault", "workingset_refault_file"), lowest=True),
    "compact_stalls_per_second": Rate(("compact_stall",)),
    "compact_fails_per_second": Rate(("compact_fail",)),
    "compact_successes_per_second": Rate(("compact_success",)),
    "thp_fault_fallbacks_per_second": Rate(("thp_fault_fallback",)),
}
BYTE_RATES = {
    "page_in_bytes_per_second": Rate(("pgpgin",), numbers.KIB),
    "page_out_bytes_per_second": Rate(("pgpgout",), numbers.KIB),
}
COUNTERS = {
    "oom_kills": "oom_kill",
    "compact_migrate_scanned": "compact_migrate_scanned",
    "compact_isolated": "compact_isolated",
    "dropped_pagecache": "drop_pagecache",
    "dropped_slab": "drop_slab",
}
PAGES = {
    "dirty_threshold_bytes": "nr_dirty_threshold",
    "dirty_background_threshold_bytes": "nr_dirty_background_threshold",
}
COUNTED = {
    "counts_kills": ("oom_kill",),
    "counts_refaults": REFAULTS,
    "counts_anonymous_refaults": ("workingset_refault_anon",),
}
NOTHING_SCANNED = Unavailable("failed", "nothing was scanned: no reclaim, so no efficiency")


class VmstatReading(Reading, frozen=True, kw_only=True):
    """Rates of the last interval (`_min`: of the slowest one), counters since boot, limits in bytes."""

    major_faults_per_second: Annotated[
        float | None, Doc("faults that had to read a disk", PER_SECOND, "pgmajfault")
    ] = None
    major_faults_per_second_min: Annotated[
        float | None, Doc("the same, the slowest interval", PER_SECOND, "pgmajfault")
    ] = None
    faults_per_second: Annotated[float | None, Doc("all page faults", PER_SECOND, "pgfault")] = None
    allocstalls_per_second: Annotated[
        float | None, Doc("times a task had to reclaim memory itself", PER_SECOND, "allocstall*")
    ] = None
    kswapd_scans_per_second: Annotated[
        float | None, Doc("pages scanned in the background", PER_SECOND, "pgscan_kswapd*")
    ] = None
    direct_scans_per_second: Annotated[
        float | None, Doc("pages scanned by tasks, also at a cgroup's limit", PER_SECOND, "pgscan_direct*")
    ] = None
    kswapd_steals_per_second: Annotated[
        float | None, Doc("pages reclaimed in the background", PER_SECOND, "pgsteal_kswapd*")
    ] = None
    direct_steals_per_second: Annotated[
        float | None, Doc("pages reclaimed by tasks", PER_SECOND, "pgsteal_direct*")
    ] = None
    refaults_per_second: Annotated[
        float | None, Doc("reclaimed pages wanted back", PER_SECOND, "workingset_refault*")
    ] = None
    anonymous_refaults_per_second: Annotated[
        float | None, Doc("of these, anonymous pages (5.9+)", PER_SECOND, "workingset_refault_anon")
    ] = None
    file_refaults_per_second: Annotated[
        float | None, Doc("of these, file pages", PER_SECOND, "workingset_refault_file, workingset_refault")
    ] = None
    file_refaults_per_second_min: Annotated[
        float | None, Doc("the same, the slowest interval", PER_SECOND, "workingset_refault_file")
    ] = None
    compact_stalls_per_second: Annotated[
        float | None, Doc("times a task had to compact memory itself", PER_SECOND, "compact_stall")
    ] = None
    compact_fails_per_second: Annotated[float | None, Doc("of these, in vain", PER_SECOND, "compact_fail")] = None
    compact_successes_per_second: Annotated[
        float | None, Doc("of these, with success", PER_SECOND, "compact_success")
    ] = None
    thp_fault_fallbacks_per_second: Annotated[
        float | None, Doc("transparent huge pages that could not be had", PER_SECOND, "thp_fault_fallback")
    ] = None
    reclaim_efficiency_percent: Annotated[
        float | None, Doc("pages reclaimed of those scanned; below 30 is poor", Unit.PERCENT, "pgsteal* / pgscan*")
    ] = None
    direct_reclaim_efficiency_percent: Annotated[
        float | None,
        Doc(
            "the same of what tasks had to reclaim themselves (3.4+)", Unit.PERCENT, "pgsteal_direct* / pgscan_direct*"
        ),
    ] = None
    page_in_bytes_per_second: Annotated[
        int | None, Doc("read from block devices", Unit.BYTES_PER_SECOND, "pgpgin", alias="bi")
    ] = None
    page_out_bytes_per_second: Annotated[
        int | None, Doc("written to block devices", Unit.BYTES_PER_SECOND, "pgpgout", alias="bo")
    ] = None
    oom_kills: Annotated[
        int | None, Doc("kills by the OOM killer since boot, groups counted twice", Unit.COUNT, "oom_kill (4.13+)")
    ] = None
    oom_kills_in_sample: Annotated[int | None, Doc("of these, during our samples", Unit.COUNT, "oom_kill")] = None
    compact_migrate_scanned: Annotated[
        int | None, Doc("pages that compaction looked at", Unit.COUNT, "compact_migrate_scanned")
    ] = None
    compact_isolated: Annotated[int | None, Doc("pages that compaction took", Unit.COUNT, "compact_isolated")] = None
    dropped_pagecache: Annotated[
        int | None, Doc("times somebody dropped the page cache", Unit.COUNT, "drop_pagecache")
    ] = None
    dropped_slab: Annotated[int | None, Doc("times somebody dropped slab", Unit.COUNT, "drop_slab")] = None
    dirty_threshold_bytes: Annotated[
        int | None, Doc("dirty pages at which writers wait", Unit.BYTES, "nr_dirty_threshold")
    ] = None
    dirty_background_threshold_bytes: Annotated[
        int | None, Doc("dirty pages at which writing starts", Unit.BYTES, "nr_dirty_background_threshold")
    ] = None
    counts_kills: Annotated[bool, Doc("this kernel counts kills", source="oom_kill (4.13+)")] = False
    counts_refaults: Annotated[bool, Doc("this kernel counts refaults", source="workingset_refault* (3.15+)")] = False
    counts_anonymous_refaults: Annotated[
        bool, Doc("this kernel counts them for anonymous pages too", source="workingset_refault_anon (5.9+)")
    ] = False


def parse(samples: Samples, readings: Readings) -> VmstatReading | Unavailable:
    """Reads the counters of all samples; names that this kernel does not have leave their fields empty."""
    answer = latest(samples, VMSTAT)
    if answer.problem:
        return answer.problem
    last, pairs = numbers.keyed(answer.text), intervals(samples, VMSTAT)
    if not last:
        return Unavailable("failed", f"{VMSTAT} holds no counter")
    found: FieldValues = {name: per_second(pairs, rate) for name, rate in RATES.items()}
    found |= {name: whole_per_second(pairs, rate) for name, rate in BYTE_RATES.items()}
    found |= {name: last.get(counter) for name, counter in COUNTERS.items()}
    found |= {name: _in_bytes(last.get(counter), page_size(readings)) for name, counter in PAGES.items()}
    found["reclaim_efficiency_percent"] = _efficiency(pairs, SCANS, STEALS)
    found["direct_reclaim_efficiency_percent"] = _efficiency(pairs, DIRECT_SCANS, DIRECT_STEALS)
    found["oom_kills_in_sample"] = _kills(pairs)
    found |= {name: any(counter in last for counter in counters) for name, counters in COUNTED.items()}
    values, gaps = split(found)
    return VmstatReading(**values, unavailable=gaps)


def _efficiency(pairs: list[Interval], scans: tuple[str, ...], steals: tuple[str, ...]) -> float | Unavailable:
    """What sar calls %vmeff, over the last interval; undefined while nothing is scanned."""
    if not pairs:
        return ONE_SAMPLE
    scanned, stolen = grown(pairs[-1], scans), grown(pairs[-1], steals)
    if isinstance(scanned, Unavailable) or isinstance(stolen, Unavailable):
        return scanned if isinstance(scanned, Unavailable) else stolen
    return 100.0 * stolen / scanned if scanned else NOTHING_SCANNED


def _kills(pairs: list[Interval]) -> int | Unavailable:
    return grown(Interval(0.0, pairs[0].before, pairs[-1].after), ("oom_kill",)) if pairs else ONE_SAMPLE


def _in_bytes(pages: int | None, page: int | None) -> int | Unavailable | None:
    if pages is None:
        return None
    return numbers.fits(pages * page) if page else NO_PAGE_SIZE


FACT = Fact(
    reading=VmstatReading,
    parse=parse,
    asks=(Read(VMSTAT, each=True),),
    needs=("host",),
    meaning="the kernel's memory events",
    history=(Figure("oom_kills"),),
)
