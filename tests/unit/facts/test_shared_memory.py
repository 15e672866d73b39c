from __future__ import annotations

import msgspec
import pytest
from tests.unit.actions.hosts import API, READINGS, WORKER

from memrunbook.core.reading.fact import Answer, Command, Reading, Sample, Unavailable
from memrunbook.core.units import GIB, KIB, MIB
from memrunbook.facts import shared_memory
from memrunbook.facts.pressure import IoPressure, PressureReading, Stall
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.shared_memory import MAPS, Holder, SharedMemoryReading
from memrunbook.facts.shm import Segment, ShmReading
from memrunbook.facts.tmpfs import Mount, TmpfsReading
from memrunbook.facts.units import Units

FAILED = Unavailable("failed", "fork fails")
NO_SEGMENTS = ShmReading(count=0, segments=[], total_bytes=0, rss_bytes=0, orphaned_count=0, orphaned_bytes=0)
SEGMENT = Segment(id=7, key="0x0", size_bytes=GIB, rss_bytes=300 * MIB, attached=120, creator_pid=9, uid=26)
LOST = Segment(id=8, key="0x0", size_bytes=GIB, attached=0, creator_pid=9, uid=26)
MAP = "7f1000000000-7f1013800000 rw-s 00000000 00:01 2051 /memfd:ring buffer (deleted)\n"
CALM = PressureReading(some=Stall(0.0, 0.0), full=Stall(0.0, 0.0), io=IoPressure())


def mounts(*sizes: int | None) -> TmpfsReading:
    found = [Mount(f"/m{n}", GIB, size, 1.0, 1.0) for n, size in enumerate(sizes)]
    return TmpfsReading(mounts=found, used_bytes=sum(size or 0 for size in sizes))


def segments(*found: Segment) -> ShmReading:
    held = sum(one.rss_bytes or 0 for one in found)
    return msgspec.structs.replace(NO_SEGMENTS, segments=list(found), rss_bytes=held)


def process(shared: int | None, unit: str = "") -> Process:
    return msgspec.structs.replace(WORKER, pid=77, name="hold", shared_bytes=shared, unit=unit)


def listed(*found: Process) -> Processes:
    return Processes(seen=9, shown=len(found), all=list(found))


def units(shared: int | None) -> Units:
    return Units(count=1, all=[msgspec.structs.replace(API, name="broker.service", shared_bytes=shared)], suspects=[])


def readings(**others: Reading | Unavailable) -> dict[str, Reading | Unavailable]:
    """330 MiB of shared memory of 480 MiB of RAM."""
    memory = msgspec.structs.replace(READINGS["memory"], shared_bytes=330 * MIB, shared_percent=68.0)
    usual = {"memory": memory, "pressure": CALM, "processes": listed(), "shm": NO_SEGMENTS}
    return {**usual, "tmpfs": mounts(372 * KIB), "units": units(None), **others}


def read(maps: str = "", /, **others: Reading | Unavailable) -> SharedMemoryReading | Unavailable:
    return shared_memory.parse((Sample(0.0, 0.0, {MAPS: Answer(maps)}),), readings(**others))


@pytest.mark.parametrize(
    ("others", "kind", "name", "lasting"),
    [
        ({"tmpfs": mounts(372 * KIB, 310 * MIB)}, "tmpfs", "/m1", True),
        ({"shm": segments(LOST, SEGMENT)}, "segment", "SysV shared memory segment 7", True),
        ({"processes": listed(process(None), process(320 * MIB))}, "process", "hold", False),
        ({"units": units(325 * MIB)}, "unit", "broker.service", False),
        ({"tmpfs": FAILED, "units": units(325 * MIB)}, "unit", "broker.service", False),
        (
            {"units": units(325 * MIB), "processes": listed(process(320 * MIB, "broker.service"))},
            "process", "hold", False,
        ),
    ],
)  # fmt: skip
def test_whoever_accounts_for_half_of_it_holds_it(
    others: dict[str, Reading | Unavailable], kind: str, name: str, *, lasting: bool
) -> None:
    found = read(**others)
    assert isinstance(found, SharedMemoryReading)
    assert (found.kind, found.explained, found.unexplained_bytes) == (kind, True, 0)
    assert [(one.kind, one.name, one.lasting) for one in found.holders] == [(kind, name, lasting)]


@pytest.mark.parametrize(
    ("others", "kind"),
    [
        ({"tmpfs": mounts(90 * MIB, 90 * MIB, None)}, "tmpfs"),
        ({"shm": segments(*[msgspec.structs.replace(SEGMENT, rss_bytes=90 * MIB)] * 2)}, "segment"),
    ],
)
def test_several_may_hold_it_together(others: dict[str, Reading | Unavailable], kind: str) -> None:
    found = read(**others)
    assert isinstance(found, SharedMemoryReading)
    assert (found.kind, found.holders, found.explained) == (kind, [], True)


def test_what_processes_map_is_in_use_whoever_they_are() -> None:
    memory = msgspec.structs.replace(
        READINGS["memory"], shared_bytes=330 * MIB, shared_percent=68.0, shared_mapped_bytes=300 * MIB
    )
    found = read(memory=memory)
    assert isinstance(found, SharedMemoryReading)
    assert (found.kind, found.holders) == ("process", [])


def test_a_run_directory_of_372_kib_is_not_blamed_for_330_mib() -> None:
    found = read()
    assert found == SharedMemoryReading(holders=[], kind="", explained=False, unexplained_bytes=330 * MIB - 372 * KIB)


def test_a_place_that_could_not_be_read_may_be_the_one() -> None:
    assert read(tmpfs=FAILED) == FAILED
    assert read(shm=FAILED) == FAILED
    absent = read(shm=Unavailable("absent", "no System V memory"))
    assert isinstance(absent, SharedMemoryReading)
    assert not absent.explained


@pytest.mark.parametrize(
    ("maps", "mapped"),
    [
        (MAP, "memfd:ring buffer"),
        (MAP + "7f2000000000-7f2000001000 rw-s 00000000 00:01 3 /SYSV0000162e (deleted)\n", "memfd:ring buffer"),
        ("7f00-7f10 rw-s 00000000 00:01 3 /dev/zero (deleted)\n", "dev/zero"),
        ("grep: /proc/77/maps: Permission denied\n", ""),
        ("", ""),
    ],
)
def test_what_the_largest_process_maps_is_told_by_its_name(maps: str, mapped: str) -> None:
    found = read(maps, processes=listed(process(320 * MIB)))
    assert isinstance(found, SharedMemoryReading)
    assert found.holders == [
        Holder(kind="process", name="hold", pid=77, shared_bytes=320 * MIB, maps=mapped),
    ]


@pytest.mark.parametrize(
    ("others", "asked"),
    [
        ({}, True),
        ({"pressure": FAILED}, True),
        ({"pressure": PressureReading(some=Stall(), full=Stall(), io=IoPressure())}, True),
        ({"pressure": PressureReading(some=Stall(), full=Stall(percent=30.0), io=IoPressure())}, False),
        ({"processes": listed(process(100 * MIB))}, False),
        ({"processes": FAILED}, False),
        ({"memory": FAILED}, False),
        ({"memory": msgspec.structs.replace(READINGS["memory"], shared_bytes=MIB, shared_percent=0.1)}, False),
    ],
)
def test_only_the_process_that_may_be_the_cause_is_asked_on_a_host_that_does_not_stall(
    others: dict[str, Reading | Unavailable], *, asked: bool
) -> None:
    largest = {"processes": listed(process(320 * MIB))}
    questions = shared_memory.follow(readings(**{**largest, **others}))
    assert len(questions) == asked
    for question in questions:
        assert isinstance(question, Command)
        assert question.argv[-1] == "/proc/77/maps"


def test_little_shared_memory_needs_no_explanation() -> None:
    memory = msgspec.structs.replace(READINGS["memory"], shared_bytes=MIB, shared_percent=0.1)
    assert read(memory=memory) == SharedMemoryReading(holders=[], explained=True)


def test_unknown_memory_and_kernels_that_do_not_count_it() -> None:
    assert read(memory=FAILED) == FAILED
    old = read(memory=msgspec.structs.replace(READINGS["memory"], shared_bytes=None, shared_percent=None))
    assert isinstance(old, Unavailable)
    assert old.reason == "absent"
    assert isinstance(shared_memory.parse((Sample(0.0, 0.0, {}),), {}), Unavailable)
