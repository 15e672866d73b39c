"""Kernel parameters of memory, and what the kernel would choose for its reserve."""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Samples, Unavailable, Whole
from memrunbook.core.units import Unit
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import FieldValues, Readings, latest

FOLDERS = {"vm": "/proc/sys/vm/", "kernel": "/proc/sys/kernel/"}
FILES = {"page_cluster": "page-cluster", "threads_max": "threads-max"}
LEAST_RESERVE_KIB, MOST_RESERVE_KIB = 128, 262144
BYTES, PERCENT = Unit.BYTES, Unit.PERCENT


class VmSysctls(Struct, frozen=True, kw_only=True):
    """/proc/sys/vm; a parameter that this kernel does not have is missing."""

    swappiness: Annotated[int | None, Doc("how readily anonymous pages are swapped", source="vm.swappiness")] = None
    min_free_kbytes: Annotated[int | None, Doc("KiB that the kernel keeps free", source="vm.min_free_kbytes")] = None
    watermark_scale_factor: Annotated[
        int | None, Doc("distance of the watermarks, in 0.01 % of a zone", source="vm.watermark_scale_factor")
    ] = None
    watermark_boost_factor: Annotated[
        int | None, Doc("extra reclaim after fragmentation, 0 for none", source="vm.watermark_boost_factor")
    ] = None
    dirty_ratio: Annotated[
        int | None, Doc("percent of available memory at which writers wait; 0: bytes count", PERCENT, "vm.dirty_ratio")
    ] = None
    dirty_background_ratio: Annotated[
        int | None, Doc("percent at which writing starts; 0: bytes count", PERCENT, "vm.dirty_background_ratio")
    ] = None
    dirty_bytes: Annotated[int | None, Doc("the same as a size; 0: the ratio counts", BYTES, "vm.dirty_bytes")] = None
    dirty_background_bytes: Annotated[
        int | None, Doc("the same as a size; 0: the ratio counts", BYTES, "vm.dirty_background_bytes")
    ] = None
    overcommit_memory: Annotated[
        int | None, Doc("0 refuses the absurd, 1 nothing, 2 all beyond the limit", source="vm.overcommit_memory")
    ] = None
    overcommit_ratio: Annotated[
        int | None, Doc("percent of RAM in the commit limit (mode 2)", PERCENT, "vm.overcommit_ratio")
    ] = None
    overcommit_kbytes: Annotated[
        int | None, Doc("the same in KiB; 0: the ratio counts", source="vm.overcommit_kbytes")
    ] = None
    max_map_count: Annotated[int | None, Doc("mappings that a process may have", source="vm.max_map_count")] = None
    compaction_proactiveness: Annotated[
        int | None, Doc("how much is compacted ahead of need, 0 to 100", source="vm.compaction_proactiveness")
    ] = None
    extfrag_threshold: Annotated[
        int | None, Doc("fragmentation x 1000 from which on to compact", source="vm.extfrag_threshold")
    ] = None
    vfs_cache_pressure: Annotated[
        int | None, Doc("how readily dentries and inodes are given back", source="vm.vfs_cache_pressure")
    ] = None
    zone_reclaim_mode: Annotated[
        int | None, Doc("not 0: a NUMA node reclaims before it asks another", source="vm.zone_reclaim_mode")
    ] = None
    page_cluster: Annotated[int | None, Doc("2^n pages are swapped in at once", source="vm.page-cluster")] = None
    panic_on_oom: Annotated[int | None, Doc("0: the OOM killer kills, else panic", source="vm.panic_on_oom")] = None
    oom_kill_allocating_task: Annotated[
        int | None, Doc("not 0: the task that asked is killed", source="vm.oom_kill_allocating_task")
    ] = None
    oom_dump_tasks: Annotated[
        int | None, Doc("not 0: an OOM kill logs the table of tasks", source="vm.oom_dump_tasks")
    ] = None
    admin_reserve_kbytes: Annotated[int | None, Doc("KiB kept for root (mode 2)", source="vm.admin_reserve_kbytes")] = (
        None
    )
    user_reserve_kbytes: Annotated[
        int | None, Doc("KiB kept from one process (mode 2)", source="vm.user_reserve_kbytes")
    ] = None
    nr_hugepages: Annotated[int | None, Doc("huge pages wanted, default size", Unit.COUNT, "vm.nr_hugepages")] = None
    nr_overcommit_hugepages: Annotated[
        int | None, Doc("huge pages allowed beyond that", Unit.COUNT, "vm.nr_overcommit_hugepages")
    ] = None
    laptop_mode: Annotated[int | None, Doc("not 0: writes are put off to spare a disk", source="vm.laptop_mode")] = None
    dirty_expire_centisecs: Annotated[
        int | None, Doc("1/100 s after which dirty pages are written", source="vm.dirty_expire_centisecs")
    ] = None
    dirty_writeback_centisecs: Annotated[
        int | None, Doc("1/100 s between two rounds of writing", source="vm.dirty_writeback_centisecs")
    ] = None


class KernelSysctls(Struct, frozen=True, kw_only=True):
    """/proc/sys/kernel."""

    pid_max: Annotated[int | None, Doc("process ids there are", Unit.COUNT, "kernel.pid_max")] = None
    threads_max: Annotated[int | None, Doc("threads there may be", Unit.COUNT, "kernel.threads-max")] = None


GROUPS: dict[str, type[VmSysctls | KernelSysctls]] = {"vm": VmSysctls, "kernel": KernelSysctls}
PATHS = {
    f"{group}.{field}": FOLDERS[group] + FILES.get(field, field)
    for group, struct in GROUPS.items()
    for field in struct.__struct_fields__
}


class SysctlReading(Reading, frozen=True, kw_only=True):
    """Kernel parameters as the kernel shows them."""

    vm: VmSysctls
    kernel: KernelSysctls
    min_free_percent: Annotated[
        float | None, Doc("the reserve's share of RAM", PERCENT, "vm.min_free_kbytes / MemTotal")
    ] = None
    min_free_default_kbytes: Annotated[
        int | None, Doc("KiB that the kernel would keep free by itself", source="mm/page_alloc.c: sqrt(16 x KiB)")
    ] = None


def parse(samples: Samples, _readings: Readings) -> SysctlReading | Unavailable:
    """Reads what the shared awk printed; without a single parameter there is no reading."""
    answers = {name: latest(samples, path) for name, path in PATHS.items()}
    found = {name: value for name, a in answers.items() if (value := numbers.whole(a.text)) is not None}
    if not found:
        return _why(answers)
    info = numbers.keyed(latest(samples, MEMINFO).text)
    reserve = found.get("vm.min_free_kbytes")
    low = info.get("LowTotal", info.get("MemTotal"))
    return SysctlReading(
        vm=VmSysctls(**_group("vm.", found)),
        kernel=KernelSysctls(**_group("kernel.", found)),
        min_free_percent=numbers.share(reserve, info.get("MemTotal", 0) // numbers.KIB),
        min_free_default_kbytes=default_reserve(low // numbers.KIB) if low else None,
        unavailable={name: a.problem for name, a in answers.items() if name not in found and a.problem},
    )


def default_reserve(low_kib: int) -> int:
    """The kernel's own min_free_kbytes for so many KiB of low memory (calculate_min_free_kbytes)."""
    return min(max(math.isqrt(low_kib * 16), LEAST_RESERVE_KIB), MOST_RESERVE_KIB)


def _group(prefix: str, found: dict[str, int]) -> FieldValues:
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def _why(answers: dict[str, Answer]) -> Unavailable:
    """A parameter that could not be read says more than one that this kernel does not have."""
    problems = [answer.problem for answer in answers.values() if answer.problem]
    known = [problem for problem in problems if problem.reason != "absent"]
    return next(iter(known or problems), Unavailable("failed", "no kernel parameter is a number"))


FACT = Fact(
    reading=SysctlReading,
    parse=parse,
    asks=(Read(MEMINFO, each=True), *(Whole(path) for path in PATHS.values())),
    meaning="kernel parameters of memory",
)
