"""Hosts on which the shipped runbooks are judged: a calm one on which nothing is unknown, and what makes it ill."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.unit.actions.hosts import API, host

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.diagnosis import diagnose_one, world_of
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.units import GIB, KIB, MIB
from memrunbook.documents.runbooks import load_runbook
from memrunbook.documents.shipped import shipped
from memrunbook.facts.buddy import BuddyReading, Zone
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.cpu import CpuReading
from memrunbook.facts.hugepages import HugepagePool
from memrunbook.facts.oom import Oom
from memrunbook.facts.pressure import IoPressure, PressureReading, Stall
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared_memory import SharedMemoryReading
from memrunbook.facts.shm import ShmReading
from memrunbook.facts.slab_growth import SlabGrowthReading
from memrunbook.facts.suspects import Suspects
from memrunbook.facts.thp import ThpReading
from memrunbook.facts.tmpfs import TmpfsReading
from memrunbook.facts.vmstat import VmstatReading
from memrunbook.facts.writeback import WritebackReading
from memrunbook.linux.fragmentation import fragmentation_index, pages_in, unusable_index
from memrunbook.linux.service import Service

PAGE = 4 * KIB
CALM_PSI = Stall(percent=0.0, avg10=0.0, avg60=0.0, avg300=0.0)
ABSENT = Unavailable("absent", "this kernel does not have it")
OLD_EVENTS = VmstatReading(
    allocstalls_per_second=0.0,
    kswapd_scans_per_second=0.0,
    direct_scans_per_second=0.0,
    major_faults_per_second=3.0,
    major_faults_per_second_min=2.0,
    dropped_pagecache=0,
    compact_stalls_per_second=0.0,
    compact_fails_per_second=0.0,
)
"""What Linux 3.10 counts: neither refaults nor kills."""
EVENTS = msgspec.structs.replace(
    OLD_EVENTS,
    refaults_per_second=0.0,
    anonymous_refaults_per_second=0.0,
    file_refaults_per_second=0.0,
    file_refaults_per_second_min=0.0,
    thp_fault_fallbacks_per_second=0.0,
    oom_kills=0,
    oom_kills_in_sample=0,
    counts_kills=True,
    counts_refaults=True,
    counts_anonymous_refaults=True,
)
MORE: dict[str, Reading | Unavailable] = {
    "vmstat": EVENTS,
    "pressure": PressureReading(some=CALM_PSI, full=CALM_PSI, io=IoPressure(some=CALM_PSI, full=CALM_PSI)),
    "cpu": CpuReading(iowait_percent=1.0),
    "cgroups": CgroupsReading(version=2, seen=0, shown=0, all=[], pressed=[]),
    "oom": Oom(
        events=[],
        count_24h=0,
        repeated_units=[],
        victim_units=[],
        failures=[],
        cache_drops=[],
        overcommit_refusals=0,
        log_lost=False,
        lost_age_seconds=1e9,
    ),
    "shm": ShmReading(count=0, segments=[], total_bytes=0, rss_bytes=0, orphaned_count=0, orphaned_bytes=0),
    "suspects": Suspects(all=[]),
    "thp": ThpReading(enabled="always"),
    "tmpfs": TmpfsReading(mounts=[]),
    "numa": ABSENT,
    "zram": ABSENT,
    "shared_memory": SharedMemoryReading(holders=[], explained=True),
    "slab_growth": SlabGrowthReading(caches=[]),
}
CALM: dict[str, Any] = {
    **MORE,
    "host.page_size_bytes": PAGE,
    "memory.shared_percent": 1.0,
    "memory.shared_bytes": GIB // 2,
    "memory.page_tables_bytes": GIB // 4,
    "memory.page_tables_percent": 0.4,
    "memory.places": [],
    "memory.committed_percent": 50.0,
    "memory.hardware_corrupted_bytes": 0,
    "memory.anonymous_bytes": 20 * GIB,
    "slab.dentry_inode_percent": 10.0,
    "hugepages.idle_percent": 0.0,
    "swap.free_percent": 100.0,
    "swap.used_percent": 0.0,
    "swap.recommended_bytes": 8 * GIB,
    "swap.in_bytes_per_second_min": 0,
    "swap.out_bytes_per_second_min": 0,
    "sysctl.min_free_percent": 1.5,
    "sysctl.vm.zone_reclaim_mode": 0,
    "sysctl.vm.compaction_proactiveness": 20,
    "sysctl_files.nr_hugepages": 0,
    "units.growing": [],
    "units.all": [],
    "units.watched_seconds": 10.0,
    "units.samples": 3,
    "processes.all": [],
    "processes.faulting": [],
}
YES = UnitPolicy(restart="yes")
SWAPPING = {
    "swap.used_bytes": 4 * GIB,
    "swap.free_percent": 40.0,
    **dict.fromkeys(("swap.in_bytes_per_second", "swap.in_bytes_per_second_min"), 2 * MIB),
    **dict.fromkeys(("swap.out_bytes_per_second", "swap.out_bytes_per_second_min"), 2 * MIB),
    "memory.available_percent": 6.0,
    "memory.available_bytes": 3 * GIB,
}
THRASHING = {**SWAPPING, "vmstat.refaults_per_second": 900.0, "vmstat.anonymous_refaults_per_second": 900.0}
POOL = HugepagePool("2 MiB", 2 * MIB, total=16384, free=16384, reserved=0, surplus=0, idle_bytes=32 * GIB)
IDLE_POOL = {"hugepages.pools": [POOL], "hugepages.total": POOL.total, "hugepages.idle_percent": 50.0}


def book(name: str, **parameters: Any) -> Runbook:
    """A shipped runbook."""
    file = shipped("runbooks") / f"{name}.yaml"
    return load_runbook(file.read_bytes(), file.name, "shipped", parameters)


def snapshot(*changes: dict[str, Any]) -> Snapshot:
    """The calm host with these changes, of which a whole fact comes before its metrics."""
    merged = {**CALM, **{name: value for one in changes for name, value in one.items()}}
    return host(dict(sorted(merged.items(), key=lambda change: "." in change[0])))


def states(runbook: Runbook, seen: Snapshot, before: Snapshot | None = None) -> dict[str, str]:
    """What it says: each check by its id, `incident` and `resolved`; holds, fails or unknown."""
    world = world_of(runbook, seen)
    said: dict[str, str] = {check.spec.id: check.when.evaluate(world).state for check in runbook.checks}
    said["incident"] = runbook.incident.evaluate(world).state
    if runbook.resolved is not None:
        said["resolved"] = runbook.resolved.evaluate(world.at(before=before or seen)).state
    return said


def planned(runbook: Runbook, seen: Snapshot, step: str) -> PlannedStep:
    """What is planned for a step, or for the first item of it."""
    return next(one for one in make_plan(runbook, seen).steps if one.id == step)


def causes(runbook: Runbook, seen: Snapshot) -> list[str]:
    """The causes by name, the likeliest first."""
    return [one.name for one in diagnose_one(runbook, seen).causes]


def service(name: str, size: int, growth: int = 0, **changes: Any) -> Service:
    """A service of so many bytes that may be restarted."""
    values: dict[str, Any] = {"own_bytes": size, "anonymous_bytes": size, "memory_percent": 100.0 * size / (64 * GIB)}
    values |= {"growth_bytes_per_second": growth, "growth_share": 1.0 if growth else 0.0, "policy": YES}
    return msgspec.structs.replace(API, name=name, **{**values, **changes})


def services(*found: Service) -> dict[str, Any]:
    """These services, as units.all, growing and suspects would hold them."""
    held = sum(one.own_bytes or 0 for one in found)
    shared = [msgspec.structs.replace(one, own_share=(one.own_bytes or 0) / held) for one in found]
    growing = [one for one in shared if one.growth_bytes_per_second]
    large = [one for one in shared if (one.memory_percent or 0.0) >= 30.0 and one not in growing]
    return {"units.all": shared, "units.growing": growing, "units.suspects": growing + large}


def fragments(*zones: list[int]) -> dict[str, Any]:
    """Main zones with so many free blocks of each order: the first is DMA32, the second Normal."""
    found = [
        Zone(
            node=0,
            name=name,
            main=True,
            free_bytes=pages_in(blocks) * PAGE,
            managed_bytes=13 * GIB,
            high_bytes=60 * MIB,
            free_blocks=blocks,
            unusable=[unusable_index(blocks, order) for order in range(len(blocks))],
            extfrag=[fragmentation_index(blocks, order) for order in range(len(blocks))],
        )
        for name, blocks in zip(("DMA32", "Normal"), zones, strict=False)
    ]
    worst = [max(column) for column in zip(*(zone.unusable for zone in found), strict=True)]
    reading = BuddyReading(orders=11, zones=found, unusable=worst, unusable_3=worst[3], unusable_9=worst[9])
    return {"buddy": reading}


def writing(pending: int, limit: int, background: int, *, io_full: float = 0.0, blocked: int = 0) -> dict[str, Any]:
    """So much waits to be written, with these limits."""
    free_run = (limit + background) // 2
    io = IoPressure(some=msgspec.structs.replace(CALM_PSI, percent=io_full), full=Stall(percent=io_full))
    return {
        "pressure": PressureReading(some=CALM_PSI, full=CALM_PSI, io=io),
        "writeback": WritebackReading(
            dirty_bytes=pending,
            writeback_bytes=0,
            pending_bytes=pending,
            limit_bytes=limit,
            background_bytes=background,
            free_run_bytes=free_run,
            pending_percent=100.0 * pending / limit,
            pending_percent_min=100.0 * pending / limit,
            blocked_processes=blocked,
            throttled=pending >= free_run,
            written_bytes_per_second=5 * MIB,
        ),
    }


def writer(name: str, dirty: int) -> dict[str, Any]:
    """A service with so much that waits to be written."""
    group = Group(path=f"/system.slice/{name}", name=name, kind="service", unit=name, container="", dirty_bytes=dirty)
    return {"cgroups": CgroupsReading(version=2, seen=1, shown=1, all=[group], pressed=[])}
