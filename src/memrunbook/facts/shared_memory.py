"""Who holds the shared memory: mounts of tmpfs, segments, processes that map it, services that it is charged to.

What is blamed must account for it: half of all shared memory or more. Else it is said that nothing explains it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from msgspec import Struct

from memrunbook.core.reading.fact import Command, Doc, Fact, Question, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.memory import MemoryReading
from memrunbook.facts.pressure import PressureReading
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.shared.sampling import Readings
from memrunbook.facts.shm import ShmReading
from memrunbook.facts.tmpfs import ASKED_PERCENT, TmpfsReading
from memrunbook.facts.units import Units

MAPS = "shared-maps"
MOST_LINES = "500"
STALLED_PERCENT = 20.0
"""`maps` takes a lock of the process: nobody is asked for it on a host that stalls."""
ENOUGH = 0.5
"""The share of all shared memory that what is named must account for."""
MAPPED = r"/memfd:|/SYSV|/dev/zero \(deleted\)|/dev/shm/|/dmabuf|/drm |/i915"
_LINE = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) \S+ \S+ \S+ \d+ +(/\S.*)", re.ASCII)

Kind = Literal["tmpfs", "segment", "process", "unit"]


class Holder(Struct, frozen=True, kw_only=True):
    """Somebody who accounts for half of the shared memory or more."""

    kind: Annotated[str, Doc("tmpfs, segment, process or unit", source="tmpfs, shm, processes, units")]
    name: Annotated[str, Doc("its name, as people say it", source="tmpfs, shm, processes, units")]
    pid: Annotated[int, Doc("of a process, 0 for others", source="/proc/PID")] = 0
    unit: Annotated[str, Doc('unit that a process belongs to, "" for none', source="/proc/PID/cgroup")] = ""
    shared_bytes: Annotated[int, Doc("shared memory that it holds", Unit.BYTES, "statfs, RssShmem, memory.stat")]
    lasting: Annotated[bool, Doc("it stays when all processes have ended", source="its kind")] = False
    maps: Annotated[str, Doc('what a process maps most of: a memfd by its name, "" unknown', source="maps")] = ""


class SharedMemoryReading(Reading, frozen=True, kw_only=True):
    """Whose the shared memory is; asked where it is more than 5 % of RAM."""

    holders: Annotated[
        list[Holder],
        Doc("those that account for half of it or more, the likeliest first", source="/proc/meminfo Shmem"),
    ]
    kind: Annotated[
        str, Doc('whose most of it is: tmpfs, segment, process, unit, "" for nobody\'s', source="/proc/meminfo Shmem")
    ] = ""
    explained: Annotated[bool, Doc("somebody accounts for half of it, or it is little", source="Shmem, Mapped")]
    unexplained_bytes: Annotated[int, Doc("what is left when nobody does", Unit.BYTES, "/proc/meminfo Shmem")] = 0


def follow(readings: Readings) -> tuple[Question, ...]:
    """Asks what the process with most shared memory maps, where that may be the cause."""
    largest, shared = _largest(readings), _shared(readings)
    full = (
        getattr(readings.get("pressure"), "full", None)
        if isinstance(readings.get("pressure"), PressureReading)
        else None
    )
    stalled = full is not None and (full.percent or full.avg10 or 0.0) >= STALLED_PERCENT
    if largest is None or not shared or stalled or (largest.shared_bytes or 0) < ENOUGH * shared:
        return ()
    return (Command(MAPS, ("grep", "-m", MOST_LINES, "-E", MAPPED, f"/proc/{largest.pid}/maps")),)


def parse(samples: Samples, readings: Readings) -> SharedMemoryReading | Unavailable:
    """Compares all shared memory with what each mount, segment, process and service holds of it."""
    memory = readings.get("memory", Unavailable("failed", "memory was not read"))
    if isinstance(memory, Unavailable):
        return memory
    shared = _shared(readings)
    if shared is None:
        return Unavailable("absent", "this kernel does not count shared memory")
    if not shared:
        return SharedMemoryReading(holders=[], explained=True)
    found = [one for one in _all(readings, samples[-1].text(MAPS) or "") if one.shared_bytes >= ENOUGH * shared]
    mapped = getattr(memory, "shared_mapped_bytes", None) or 0
    together = _together(readings)
    kind = found[0].kind if found else next((name for name, size in together if size >= ENOUGH * shared), "")
    kind = kind or ("process" if mapped >= ENOUGH * shared else "")
    unread = _unread(readings)
    if not kind and unread is not None:
        return unread
    return SharedMemoryReading(
        holders=found,
        kind=kind,
        explained=bool(kind),
        unexplained_bytes=0 if kind else max(shared - sum(size for _, size in together), 0),
    )


def _unread(readings: Readings) -> Unavailable | None:
    """A place that may hold it and could not be looked at; a kernel without System V memory has no segments."""
    tmpfs, shm = readings.get("tmpfs"), readings.get("shm")
    if isinstance(tmpfs, Unavailable):
        return tmpfs
    return shm if isinstance(shm, Unavailable) and shm.reason != "absent" else None


def _shared(readings: Readings) -> int | None:
    """All shared memory in bytes, 0 where it is too little to ask; None where the kernel does not count it."""
    memory = readings.get("memory")
    share = memory.shared_percent if isinstance(memory, MemoryReading) else None
    if share is None or not isinstance(memory, MemoryReading):
        return None
    return memory.shared_bytes if share > ASKED_PERCENT else 0


def _largest(readings: Readings) -> Process | None:
    processes = readings.get("processes")
    found = processes.all if isinstance(processes, Processes) else []
    return max(found, key=lambda one: one.shared_bytes or 0, default=None)


def _all(readings: Readings, maps: str) -> Iterator[Holder]:
    """The likeliest first: files outlive processes, and of a process more is known than of its service."""
    tmpfs, shm, units = (readings.get(name) for name in ("tmpfs", "shm", "units"))
    for mount in tmpfs.mounts if isinstance(tmpfs, TmpfsReading) else ():
        yield Holder(kind="tmpfs", name=mount.name, shared_bytes=mount.used_bytes or 0, lasting=True)
    for segment in shm.segments if isinstance(shm, ShmReading) else ():
        name = f"SysV shared memory segment {segment.id}"
        yield Holder(kind="segment", name=name, shared_bytes=segment.rss_bytes or 0, lasting=True)
    largest = _largest(readings)
    for service in units.all if isinstance(units, Units) else ():
        if largest is None or largest.unit != service.name:
            yield Holder(kind="unit", name=service.name, unit=service.name, shared_bytes=service.shared_bytes or 0)
    if largest is not None:
        yield Holder(
            kind="process",
            name=largest.name,
            pid=largest.pid,
            unit=largest.unit,
            shared_bytes=largest.shared_bytes or 0,
            maps=_most_mapped(maps),
        )


def _together(readings: Readings) -> list[tuple[str, int]]:
    """What all mounts and all segments hold, in bytes."""
    tmpfs, shm = readings.get("tmpfs"), readings.get("shm")
    mounts = tmpfs.used_bytes or 0 if isinstance(tmpfs, TmpfsReading) else 0
    segments = shm.rss_bytes or 0 if isinstance(shm, ShmReading) else 0
    return [("tmpfs", mounts), ("segment", segments)]


def _most_mapped(maps: str) -> str:
    """The name behind most of the mapped addresses: "memfd:ring", "SYSV0000162e"; empty where nobody said."""
    sizes: dict[str, int] = {}
    for row in _rows(maps.split("\n")):
        name = row[3].removesuffix(" (deleted)").removeprefix("/")
        sizes[name] = sizes.get(name, 0) + int(row[2], 16) - int(row[1], 16)
    return max(sizes, key=lambda name: sizes[name], default="")


def _rows(lines: Iterable[str]) -> Iterator[re.Match[str]]:
    return (row for line in lines if (row := _LINE.fullmatch(line)))


FACT = Fact(
    reading=SharedMemoryReading,
    parse=parse,
    asks=(),
    needs=("memory", "pressure", "processes", "shm", "tmpfs", "units"),
    meaning="who holds the shared memory",
    follow=follow,
)
