"""A healthy host as a snapshot, and the same with something changed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB
from memrunbook.facts.buddy import BuddyReading
from memrunbook.facts.containers import Container, ContainersReading
from memrunbook.facts.drift import DriftReading
from memrunbook.facts.holds import Holds
from memrunbook.facts.host import HostReading
from memrunbook.facts.hugepages import HugepagePool, HugepagesReading
from memrunbook.facts.lru_gen import LruGenReading
from memrunbook.facts.memory import MemoryReading
from memrunbook.facts.pressure import IoPressure, PressureReading, Stall
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.slab import SlabReading
from memrunbook.facts.swap import SwapDevice, SwapReading
from memrunbook.facts.sysctl import KernelSysctls, SysctlReading, VmSysctls
from memrunbook.facts.sysctl_files import SysctlFilesReading
from memrunbook.facts.thp import ThpReading
from memrunbook.facts.units import Units
from memrunbook.facts.vmstat import VmstatReading
from memrunbook.facts.zswap import ZswapReading
from memrunbook.linux.service import Service

DENIED = Unavailable("denied", "permission denied")

API = Service(
    name="search-api.service",
    active=True,
    state="active",
    substate="running",
    type="simple",
    main_pid=812,
    restarts=0,
    memory_bytes=8 * GIB,
    anonymous_bytes=6 * GIB,
    file_bytes=2 * GIB,
    swap_bytes=0,
    invocation_id="4f1c",
    cgroup="/system.slice/search-api.service",
    restart_setting="on-failure",
    can_start=True,
    can_stop=True,
    can_freeze=True,
    freezer_state="running",
    timeout_seconds=180.0,
)
FAILED = msgspec.structs.replace(
    API, name="report.service", active=False, failed=True, state="failed", main_pid=None, result="oom-kill"
)
WORKER = Process(
    pid=812,
    name="search-api",
    parent=1,
    threads=4,
    rss_bytes=6 * GIB,
    anonymous_bytes=6 * GIB,
    oom_score_adj=0,
    start_ticks=4711,
    age_seconds=100.0,
    unit=API.name,
)
STRAY = msgspec.structs.replace(
    WORKER,
    pid=9000,
    name="report.py",
    anonymous_bytes=3 * GIB,
    cgroup="/user.slice/user-1000.slice/session-7.scope",
    unit="session-7.scope",
)
IDLE_POOL = HugepagePool("2 MiB", 2 * MIB, total=1024, free=1000, reserved=8, surplus=0, idle_bytes=992 * 2 * MIB)
COLD_SWAP = SwapDevice("/dev/sda3", "partition", 8 * GIB, 3 * GIB, priority=-2, rotational="no", zram=False)
WEB = Container(
    runtime="docker",
    id="c0ffee" * 10 + "abcd",
    name="web",
    image="shop/web:1.2",
    running=True,
    paused=False,
    pid=6576,
    started="2026-11-22T09:00:00.123456789Z",
    restarts=2,
    restart_policy="unless-stopped",
    auto_remove=False,
    orchestrator="",
    project="",
    unit="",
)
READINGS: dict[str, Reading] = {
    "host": HostReading(
        kernel="6.1.0-56-amd64",
        uptime_seconds=3600.0,
        boot_id="b001",
        container=False,
        kubernetes=False,
        hypervisor=False,
        database=False,
        cluster_managed=False,
        systemd=True,
        systemd_version=252,
        cgroup_version=2,
        remediators=[],
        root=True,
        own_unit="session-3.scope",
        own_pids=[4301, 4300, 640, 1],
    ),
    "memory": MemoryReading(
        total_bytes=64 * GIB,
        free_bytes=32 * GIB,
        free_percent=50.0,
        available_bytes=40 * GIB,
        available_percent=62.5,
        available_estimated=False,
        used_bytes=24 * GIB,
        used_percent=37.5,
        cached_bytes=8 * GIB,
        dirty_bytes=MIB,
        writeback_bytes=0,
        commit_limit_bytes=40 * GIB,
        committed_bytes=20 * GIB,
        zswap_bytes=0,
        unaccounted_bytes=0,
        unaccounted_percent=0.0,
        droppable_bytes=8 * GIB,
        droppable_percent=12.5,
    ),
    "pressure": PressureReading(some=Stall(0.0, 0.0), full=Stall(0.0, 0.0), io=IoPressure()),
    "swap": SwapReading(
        total_bytes=8 * GIB,
        used_bytes=0,
        free_bytes=8 * GIB,
        in_bytes_per_second=0,
        out_bytes_per_second=0,
        zram_only=False,
        devices=[],
    ),
    "zswap": ZswapReading(enabled=False),
    "containers": ContainersReading(all=[WEB]),
    "vmstat": VmstatReading(allocstalls_per_second=0.0, dropped_pagecache=0, dropped_slab=0),
    "slab": SlabReading(
        total_bytes=4 * GIB,
        reclaimable_bytes=3 * GIB,
        reclaimable_percent=4.7,
        unreclaimable_bytes=GIB,
        unreclaimable_percent=1.6,
    ),
    "buddy": BuddyReading(orders=11, unusable=[0.0, 0.1, 0.4, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.95, 1.0], zones=[]),
    "hugepages": HugepagesReading(
        total=0, free=0, reserved=0, surplus=0, size_bytes=2 * MIB, idle_bytes=0, all_bytes=0, pools=[]
    ),
    "sysctl": SysctlReading(
        vm=VmSysctls(
            swappiness=60,
            min_free_kbytes=67584,
            watermark_scale_factor=10,
            watermark_boost_factor=15000,
            dirty_ratio=20,
            dirty_background_ratio=10,
            dirty_bytes=0,
            dirty_background_bytes=0,
            overcommit_memory=0,
            overcommit_ratio=50,
            overcommit_kbytes=0,
            max_map_count=65530,
            vfs_cache_pressure=100,
            zone_reclaim_mode=1,
            page_cluster=3,
            admin_reserve_kbytes=8192,
        ),
        kernel=KernelSysctls(),
        min_free_default_kbytes=67584,
    ),
    "holds": Holds(all=[]),
    "drift": DriftReading(parameters=[]),
    "thp": ThpReading(enabled="always", defrag="madvise"),
    "lru_gen": LruGenReading(enabled=True, min_ttl_ms=0),
    "sysctl_files": SysctlFilesReading(files=[], nr_hugepages=0),
    "units": Units(count=2, failed_count=1, all=[API, FAILED], suspects=[]),
    "processes": Processes(seen=1, shown=1, all=[WORKER]),
}


def host(changes: dict[str, Any] | None = None, *, fork_ok: bool = True) -> Snapshot:
    """The healthy host, with metrics or whole facts changed; `Unavailable` makes one unknown."""
    readings: dict[str, Any] = dict(READINGS)
    for metric, value in (changes or {}).items():
        fact, _, path = metric.partition(".")
        readings[fact] = _changed(readings[fact], path, value) if path else value
    return Snapshot("search-03", HostIdentity(), Instant(0.0, 0.0), readings, fork_ok=fork_ok)


def with_unit(policy: UnitPolicy | None = None, **changes: Any) -> Snapshot:
    """The healthy host with search-api.service changed."""
    unit = msgspec.structs.replace(API, **changes, **({"policy": policy} if policy else {}))
    return host({"units.all": [unit, FAILED]})


def with_process(**changes: Any) -> Snapshot:
    """The healthy host with the process 812 changed."""
    return host({"processes.all": [msgspec.structs.replace(WORKER, **changes)]})


def _changed(reading: Any, path: str, value: Any) -> Any:
    if isinstance(value, Unavailable):
        reading = msgspec.structs.replace(reading, unavailable={**reading.unavailable, path: value})
        value = None
    return _replaced(reading, path.split("."), value)


def _replaced(struct: Any, path: list[str], value: Any) -> Any:
    first, *rest = path
    inner: Struct = getattr(struct, first)
    return msgspec.structs.replace(struct, **{first: _replaced(inner, rest, value) if rest else value})
