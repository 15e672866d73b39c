"""What the facts of groups, processes and the kernel say of leaks: whom their readings name, by the history's names."""

from __future__ import annotations

from typing import Any

import msgspec

from memrunbook.core.reading.fact import EarlierReadings, Reading, Unavailable
from memrunbook.facts.shared.leaks import Leak, Leaks, MemoryHolder, lacking, leaks_of, together, untold
from memrunbook.facts.shared.room import room_of

GROUPS, PROCESSES = "cgroups.own_bytes", "processes.own_bytes"
CONTAINERS = frozenset({"container", "guest"})
CACHE_BYTES = "cache_bytes"
"""The figure of a slab cache in the history: `bytes` would be taken for all of them."""
SLAB, CACHES = "slab.unreclaimable_bytes", f"slab.{CACHE_BYTES}"
__all__ = ["CACHE_BYTES", "Leaks", "leaking_groups", "leaking_kernel", "leaking_processes", "leaking_slab"]
PER_CPU, PAGE_TABLES = "memory.percpu_bytes", "memory.page_tables_bytes"


def leaking_groups(reading: Any, earlier: EarlierReadings) -> Reading:
    """Adds the containers, guests and scopes that leak, and after them the pods: those hold containers once more.

    A slice leaks with what is in it, a service is told by `units`.
    """
    if problem := lacking(earlier, ("container", GROUPS), ("cgroup", GROUPS)):
        return _untold(reading, problem)
    containers = [
        MemoryHolder(one.container, _own(one), one.container, one.limit_bytes, one.name)
        for one in reading.all
        if one.kind in CONTAINERS and one.container
    ]
    scopes, pods = (
        [MemoryHolder(one.path, _own(one), earlier.boot, one.limit_bytes) for one in reading.all if one.kind == kind]
        for kind in ("scope", "pod")
    )
    apart = leaks_of("container", GROUPS, containers, earlier) + leaks_of("cgroup", GROUPS, scopes, earlier)
    found = together(apart, room_of(earlier.readings))
    return _told(reading, found + leaks_of("cgroup", GROUPS, pods, earlier))


def leaking_processes(reading: Any, earlier: EarlierReadings) -> Reading:
    """Adds the processes that leak and belong to no service and no container: those are told by theirs."""
    if problem := lacking(earlier, ("process", PROCESSES)):
        return _untold(reading, problem)
    holders = [
        MemoryHolder(
            f"{one.name}:{one.pid}",
            one.anonymous_bytes + (one.swap_bytes or 0),
            f"{one.pid}:{one.start_ticks}",
            label=f"{one.name} (pid {one.pid})",
            age=one.age_seconds,
        )
        for one in reading.all
        if not one.container and not one.unit.endswith(".service")
    ]
    return _told(reading, leaks_of("process", PROCESSES, holders, earlier))


def leaking_slab(reading: Any, earlier: EarlierReadings) -> Reading:
    """Adds the caches that leak, and after them the unreclaimable memory of all together."""
    if problem := lacking(earlier, ("kernel", SLAB)):
        return _untold(reading, problem)
    caches = [_of_kernel(one.name, one.bytes, f"slab cache {one.name}", earlier) for one in reading.caches or ()]
    kept = [_of_kernel("", reading.unreclaimable_bytes, "unreclaimable slab memory", earlier)]
    found = leaks_of("kernel", CACHES, caches, earlier) + leaks_of("kernel", SLAB, kept, earlier)
    return _told(reading, found)


def leaking_kernel(reading: Any, earlier: EarlierReadings) -> Reading:
    """Adds the per-CPU memory and the page tables, where they leak."""
    if problem := lacking(earlier, ("kernel", PAGE_TABLES), ("kernel", PER_CPU)):
        return _untold(reading, problem)
    found: list[Leak] = []
    for figure, held, label in (
        (PER_CPU, reading.percpu_bytes, "per-CPU memory"),
        (PAGE_TABLES, reading.page_tables_bytes, "page tables"),
    ):
        found += leaks_of("kernel", figure, [_of_kernel("", held, label, earlier)], earlier)
    return _told(reading, together(found, room_of(earlier.readings)))


def _of_kernel(name: str, held: int | None, label: str, earlier: EarlierReadings) -> MemoryHolder:
    """The kernel warms up after each boot, as a service does after its start."""
    uptime = getattr(earlier.readings.get("host"), "uptime_seconds", None)
    return MemoryHolder(name, held or 0, earlier.boot, label=label, age=uptime)


def _told(reading: Any, leaks: list[Leak]) -> Reading:
    told: Reading = msgspec.structs.replace(reading, leaking=leaks)
    return told


def _untold(reading: Any, problem: Unavailable) -> Reading:
    told: Reading = untold(reading, problem)
    return told


def _own(group: Any) -> int:
    parts = (group.anonymous_bytes, group.swap_bytes, group.unreclaimable_slab_bytes)
    return sum(part or 0 for part in parts)
