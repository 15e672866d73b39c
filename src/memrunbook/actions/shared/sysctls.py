"""The kernel parameters that may be set: their range, what a change costs, what judges it."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.actions.shared import sysctl_rules as rules
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, KIB, MIB

INT_MAX = 2147483647


@dataclass(frozen=True)
class Knob:
    """One parameter: allowed values from `low` to `high`, and `twin`, which a write sets to 0 (ratio and bytes)."""

    low: int
    high: int
    costs: str
    judge: rules.Judge = rules.harmless
    twin: str = ""


_RECLAIM_EARLIER = "the kernel reclaims earlier and spends more CPU time on it; less memory counts as available"
_WRITERS = "programs that write much are slowed down sooner or later than before"
_PROMISES = "allocations and forks may fail where they succeeded before, or the other way round"
_CPU = "the kernel spends more or less CPU time on compaction; pages in use are moved"

KNOBS = {
    "vm.swappiness": Knob(
        0, 200, "lower: files are read from disk again more often; higher: more swapping", rules.swappiness
    ),
    "vm.min_free_kbytes": Knob(1024, INT_MAX, _RECLAIM_EARLIER, rules.reserve),
    "vm.watermark_scale_factor": Knob(1, 200, _RECLAIM_EARLIER, rules.watermarks),
    "vm.watermark_boost_factor": Knob(0, 15000, "0: more fragmentation in the long run; higher: bursts of reclaim"),
    "vm.compaction_proactiveness": Knob(0, 60, _CPU),
    "vm.vfs_cache_pressure": Knob(1, 1000, "looking up files may become slower", rules.cache_pressure),
    "vm.dirty_ratio": Knob(1, 60, _WRITERS, rules.dirty_limit("vm.dirty_ratio"), "vm.dirty_bytes"),
    "vm.dirty_bytes": Knob(MIB, 16 * GIB, _WRITERS, rules.dirty_limit("vm.dirty_bytes"), "vm.dirty_ratio"),
    "vm.dirty_background_ratio": Knob(
        1, 50, _WRITERS, rules.dirty_limit("vm.dirty_background_ratio"), "vm.dirty_background_bytes"
    ),
    "vm.dirty_background_bytes": Knob(
        MIB, 8 * GIB, _WRITERS, rules.dirty_limit("vm.dirty_background_bytes"), "vm.dirty_background_ratio"
    ),
    "vm.overcommit_memory": Knob(0, 2, _PROMISES, rules.overcommit_mode),
    "vm.overcommit_ratio": Knob(50, 100, _PROMISES, rules.overcommit_ratio, "vm.overcommit_kbytes"),
    "vm.overcommit_kbytes": Knob(KIB, INT_MAX, _PROMISES, rules.overcommit_kbytes, "vm.overcommit_ratio"),
    "vm.admin_reserve_kbytes": Knob(8192, 1 << 20, "so much is kept for root in strict overcommit accounting"),
    "vm.user_reserve_kbytes": Knob(0, 1 << 20, "so much is kept for each user in strict overcommit accounting"),
    "vm.max_map_count": Knob(
        65530, INT_MAX, "kernel memory for every further mapping, about 200 bytes", rules.raise_only
    ),
    "vm.page_cluster": Knob(0, 6, "more or fewer pages are read from swap at once"),
    "vm.zone_reclaim_mode": Knob(0, 0, "processes get memory of other NUMA nodes sooner"),
    "vm.panic_on_oom": Knob(0, 0, "out of memory, a process is killed instead of the host"),
}
"""By name; ranges from Documentation/admin-guide/sysctl/vm.rst, narrowed to what helps and harms nobody."""


def counting(snapshot: Snapshot, key: str) -> tuple[str, int]:
    """Of a parameter and its twin, which exclude each other, the one whose value brings the present state back.

    Where both are 0 that is the ratio: the kernel takes no size of 0. Ask whether both are known first.
    """
    value: int = snapshot.value(f"sysctl.{key}")
    twin = KNOBS[key].twin
    if value or not twin:
        return key, value
    other: int = snapshot.value(f"sysctl.{twin}")
    return (twin, other) if other or twin.endswith("_ratio") else (key, value)


def path(key: str) -> str:
    """The file of a parameter."""
    name = key.removeprefix("vm.")
    return f"/proc/sys/vm/{'page-cluster' if name == 'page_cluster' else name}"
