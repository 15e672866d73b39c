from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Command, Question, Read, Reading, Sample, Unavailable
from memrunbook.core.units import GIB, MIB
from memrunbook.facts.pressure import IoPressure, PressureReading, Stall
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.suspects import Suspects, follow, parse


class Numbers(Reading, frozen=True, kw_only=True):
    root: bool | None = None
    total_bytes: int | None = None
    mappings: int | None = None
    allocstalls_per_second: float | None = None


class Vm(Reading, frozen=True, kw_only=True):
    max_map_count: int | None = None


class Sysctl(Reading, frozen=True, kw_only=True):
    vm: Vm


def process(pid: int, own: int, rss: int | None = None) -> Process:
    return Process(
        pid=pid, name="x", parent=1, threads=1, rss_bytes=rss or own, anonymous_bytes=own, start_ticks=1, age_seconds=1
    )


def host(*processes: Process, **changes: Reading | Unavailable) -> dict[str, Reading | Unavailable]:
    return {
        "host": Numbers(root=True),
        "memory": Numbers(total_bytes=64 * GIB),
        "pressure": PressureReading(some=Stall(), full=Stall(percent=1.0, avg10=90.0), io=IoPressure()),
        "processes": Processes(seen=100, shown=len(processes), all=list(processes)),
        "slab": Numbers(mappings=9000),
        "sysctl": Sysctl(vm=Vm(max_map_count=65530)),
        "vmstat": Numbers(),
        **changes,
    }


def pids(asks: tuple[Question, ...], ending: str) -> list[int]:
    return [int(ask.path.split("/")[2]) for ask in asks if isinstance(ask, Read) and ask.path.endswith(ending)]


def test_nobody_is_asked_without_a_reason() -> None:
    readings = host(process(7, GIB - 1))
    assert follow(readings) == ()
    assert parse((), host(process(7, GIB - 1), host=Unavailable("failed", ""))) == Unavailable(
        "denied", "maps and smaps_rollup of other users' processes need root"
    )


def test_the_five_largest_are_asked_and_the_very_large_only_for_their_mappings() -> None:
    every = [process(9, 40 * GIB, 17 * GIB), *(process(pid, GIB) for pid in range(10, 20))]
    asks = follow(host(*every))
    assert pids(asks, "/stat") == [9, 10, 11, 12, 13]
    assert pids(asks, "/smaps_rollup") == [10, 11, 12, 13]
    assert asks[-1] == Command("maps", ("wc", "-l", *(f"/proc/{pid}/maps" for pid in range(9, 14))))


def test_on_a_small_host_a_tenth_of_it_is_large() -> None:
    small = Numbers(total_bytes=500 * MIB)
    assert pids(follow(host(process(7, 50 * MIB), process(8, 49 * MIB), memory=small)), "/stat") == [7]
    assert follow(host(process(7, 50 * MIB), memory=Numbers())) == ()


@pytest.mark.parametrize(("mappings", "counted"), [(10_000 + 32_764, 0), (10_000 + 32_766, 40), (None, 0)])
def test_many_mappings_somewhere_make_forty_be_counted(mappings: int | None, counted: int) -> None:
    every = [process(pid, MIB) for pid in range(100, 150)]
    asks = follow(host(*every, slab=Numbers(mappings=mappings)))
    assert len(pids(asks, "/stat")) == counted
    assert pids(asks, "/smaps_rollup") == []
    assert follow(host(*every, slab=Numbers(mappings=mappings), sysctl=Sysctl(vm=Vm()))) == ()


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, True),
        ({"pressure": PressureReading(some=Stall(), full=Stall(percent=20.0), io=IoPressure())}, False),
        ({"pressure": PressureReading(some=Stall(), full=Stall(avg10=20.0), io=IoPressure())}, False),
        ({"pressure": Unavailable("absent", "")}, False),
        ({"pressure": Unavailable("absent", ""), "vmstat": Numbers(allocstalls_per_second=0.9)}, True),
        ({"pressure": Unavailable("absent", ""), "vmstat": Numbers(allocstalls_per_second=1.0)}, False),
        ({"host": Numbers(root=False)}, False),
        ({"processes": Unavailable("denied", "")}, False),
    ],
)
def test_nobody_is_held_up_on_a_host_that_may_stall(changes: dict[str, Reading | Unavailable], *, asked: bool) -> None:
    readings = host(process(7, GIB), **changes)
    assert bool(follow(readings)) is asked
    if not asked:
        reading = parse((), readings)
        assert isinstance(reading, Unavailable)
        assert reading.why or reading.reason == "denied"


def test_answers_make_suspects_of_those_who_are_the_same() -> None:
    rollup = "Pss: 4 kB\nPrivate_Clean: 1 kB\n"
    stat = "7 (a) b)) S" + " 0" * 18 + " 1 0\n"
    answers = {
        "/proc/7/stat": Answer(stat),
        "/proc/7/smaps_rollup": Answer(rollup),
        "maps": Answer("  0 /proc/7/maps\n"),
    }
    sample = Sample(before=1.0, after=1.0, answers=answers)
    reading = parse((sample,), host(process(7, GIB), process(8, GIB)))
    assert isinstance(reading, Suspects)
    (found,) = reading.all
    assert (found.pid, found.pss_bytes, found.uss_bytes, found.maps, found.maps_percent) == (7, 4096, None, None, None)


def counted(maps: list[int], mappings: int, *, seen: int = 200) -> Suspects:
    """So many processes of 1 MiB with so many mappings each, on a host of `seen` with so many in all."""
    every = [process(pid, MIB) for pid in range(100, 100 + seen)]
    answers = {f"/proc/{100 + place}/stat": Answer("7 (x) S" + " 0" * 18 + " 1 0\n") for place in range(len(maps))}
    lines = "".join(f"  {many} /proc/{100 + place}/maps\n" for place, many in enumerate(maps))
    sample = Sample(0, 0, {**answers, "maps": Answer(lines)})
    readings = host(*every, slab=Numbers(mappings=mappings), sysctl=Sysctl(vm=Vm(max_map_count=65530)))
    readings["processes"] = Processes(seen=seen, shown=seen, all=every)
    found = parse((sample,), readings)
    assert isinstance(found, Suspects)
    return found


def test_who_was_not_counted_has_no_more_mappings_than_all_of_them() -> None:
    cut = counted([60_000, *[100] * 39], 60_000 + 3_900 + 9_000).cut["all"]
    assert cut.why == "mappings were counted of the 40 largest processes only"
    assert cut.below == {"maps": 9001.0, "maps_percent": pytest.approx(100.0 * 9001 / 65530)}


def test_of_more_than_five_with_many_mappings_the_others_have_fewer() -> None:
    found = counted([*range(50_000, 50_007), *[100] * 32], 900_000, seen=39)
    assert [one.maps for one in found.all] == [50_006, 50_005, 50_004, 50_003, 50_002]
    assert found.cut["all"].below["maps"] == 50_002.0
    assert found.cut["all"].why == "only five are shown"
    assert counted([60_000, *[100] * 38], 900_000, seen=39).cut == {}
