"""Who leaks, by a history and the reading of now: units, containers, groups, processes and the kernel's memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.facts.shared.pasts import AT, EVERY, grown, now

from memrunbook.core.reading.fact import EarlierReadings, Reading
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import DAY, HOUR, MIB
from memrunbook.facts.cgroups import FACT as CGROUPS
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.host import HostReading
from memrunbook.facts.memory import FACT as MEMORY
from memrunbook.facts.processes import FACT as PROCESSES
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared.leaks import MemoryHolder, lacking, leaks_of
from memrunbook.facts.slab import FACT as SLAB
from memrunbook.facts.slab import SlabCache, SlabReading
from memrunbook.facts.units import FACT as UNITS
from memrunbook.facts.units import Units
from memrunbook.linux.service import Service

LEAKY = Service(
    name="search-api.service",
    active=True,
    own_bytes=4000 * MIB,
    invocation_id="7",
    memory_max_bytes=8192 * MIB,
    can_start=True,
    can_stop=True,
    cgroup="/system.slice/search-api.service",
)
QUIET = msgspec.structs.replace(LEAKY, name="db.service", own_bytes=900 * MIB)
SERVICES = Units(count=2, all=[LEAKY, QUIET], suspects=[])
PAST = (
    grown("unit", "search-api.service", "units.own_bytes", 4000, 60, "7", 8192),
    grown("unit", "db.service", "units.own_bytes", 900, 0, "7"),
)


def recalled(fact: Any, reading: Reading, *series: Series, problem: str = "") -> Any:
    return fact.recall(reading, now(*series, problem=problem))


def test_a_leaking_service_is_told_with_its_times() -> None:
    units = recalled(UNITS, SERVICES, *PAST)
    assert units.leaks_known
    (leak,) = units.leaking
    assert (leak.name, leak.kind, leak.restartable, leak.policy.restart) == (
        "search-api.service",
        "unit",
        True,
        "unlisted",
    )
    assert leak.growth_bytes_per_second * HOUR / MIB == pytest.approx(60, rel=0.05)
    assert leak.growth_low_bytes_per_second <= leak.growth_bytes_per_second <= leak.growth_high_bytes_per_second
    assert leak.seconds_to_limit / HOUR == pytest.approx((8192 - 4000) / 60, rel=0.1)
    assert leak.seconds_to_exhaustion / HOUR == pytest.approx(10 * 1024 / 60, rel=0.1)
    assert leak.seconds_left == leak.seconds_to_limit
    assert leak.gained_bytes / MIB == pytest.approx(60 * 48, rel=0.1)
    assert (leak.growth_share, leak.lives, leak.readings) == (1.0, 1, 577)


def test_the_host_is_full_when_all_leaks_together_fill_it_and_the_most_dangerous_is_first() -> None:
    series = [grown("unit", name, "f", 2000, speed, "1") for name, speed in (("slow", 20), ("fast", 100))]
    slow, fast = MemoryHolder("slow", 2000 * MIB, "1"), MemoryHolder("fast", 2000 * MIB, "1")
    found = leaks_of("unit", "f", [slow, fast], now(*series))
    assert [one.name for one in found] == ["fast", "slow"]
    assert found[0].seconds_to_exhaustion == found[1].seconds_to_exhaustion
    assert found[0].seconds_to_exhaustion is not None
    assert found[0].seconds_to_exhaustion / HOUR == pytest.approx(10 * 1024 / 120, rel=0.1)
    assert sum(one.growth_share for one in found) == pytest.approx(1.0)


def test_a_restart_gives_back_what_was_gained_and_the_leak_is_remembered() -> None:
    restarted = msgspec.structs.replace(LEAKY, own_bytes=200 * MIB, invocation_id="8")
    (leak,) = recalled(UNITS, Units(count=1, all=[restarted], suspects=[]), *PAST).leaking
    assert (leak.gained_bytes, leak.lives) == (0, 2)


def test_without_history_it_is_unknown_and_says_what_is_needed() -> None:
    units = recalled(UNITS, SERVICES)
    assert (units.leaking, units.leaks_known) == (None, False)
    why = units.unavailable["leaking"]
    assert (why.reason, why.why) == ("not yet", "no history yet: only this reading is known; 8 over 30 min are needed")
    young = [Series(one.kind, one.name, one.figure, one.points[-4:]) for one in PAST]
    assert recalled(UNITS, SERVICES, *young).unavailable["leaking"].why == (
        "no history yet: 5 readings of this host are known, over 20 min; 8 over 30 min are needed"
    )
    lost = recalled(UNITS, SERVICES, problem="the store is damaged").unavailable["leaking"].why
    assert lost == "earlier readings of this host are not known: the store is damaged"


@pytest.mark.parametrize("fact", [CGROUPS, PROCESSES, SLAB, MEMORY])
def test_so_it_is_of_all_that_may_leak(fact: Any) -> None:
    assert recalled(fact, READINGS[fact.reading]).unavailable["leaking"].reason == "not yet"


GROUPS = CgroupsReading(
    version=2,
    seen=3,
    shown=3,
    all=[
        Group(path="/a", name="web", kind="container", unit="", container="docker:1", anonymous_bytes=2000 * MIB),
        Group(path="/b", name="b.scope", kind="scope", unit="", container="", anonymous_bytes=2000 * MIB),
        Group(path="/c", name="c.service", kind="service", unit="", container="", anonymous_bytes=2000 * MIB),
    ],
)
PROCESS = Process(
    pid=9, name="java", parent=1, threads=1, rss_bytes=1, anonymous_bytes=2000 * MIB, start_ticks=5, age_seconds=1.0
)
READINGS: dict[type, Any] = {
    CgroupsReading: GROUPS,
    Processes: Processes(
        seen=1, shown=1, all=[PROCESS, msgspec.structs.replace(PROCESS, pid=10, unit="a.service")], by_name=[]
    ),
    SlabReading: SlabReading(
        total_bytes=2,
        unreclaimable_bytes=2000 * MIB,
        caches=[SlabCache("filp", 2000 * MIB, 1, 1, 1, 100.0, False)],
    ),
    MEMORY.reading: now().readings["memory"],
}


def test_containers_and_scopes_leak_and_services_are_told_by_units() -> None:
    past = [grown("container", "docker:1", "cgroups.own_bytes", 2000, 60, "docker:1")]
    past += [grown("cgroup", path, "cgroups.own_bytes", 2000, 30, "boot") for path in ("/b", "/c")]
    told = recalled(CGROUPS, GROUPS, *past)
    assert [(one.name, one.kind) for one in told.leaking] == [("web", "container"), ("/b", "cgroup")]
    assert sum(one.growth_share for one in told.leaking) == pytest.approx(1.0)
    assert {round(one.seconds_to_exhaustion / HOUR / 10) for one in told.leaking} == {round(10 * 1024 / 90 / 10)}


def test_a_scope_that_leaks_faster_than_a_container_is_told_first() -> None:
    past = [grown("container", "docker:1", "cgroups.own_bytes", 2000, 20, "docker:1")]
    past += [grown("cgroup", "/b", "cgroups.own_bytes", 2000, 60, "boot")]
    assert [one.name for one in recalled(CGROUPS, GROUPS, *past).leaking] == ["/b", "web"]


def test_a_pod_is_not_counted_beside_its_containers() -> None:
    pod = Group(path="/p", name="p", kind="pod", unit="", container="", anonymous_bytes=2000 * MIB)
    groups = msgspec.structs.replace(GROUPS, all=[pod, GROUPS.all[0]])
    past = [grown("container", "docker:1", "cgroups.own_bytes", 2000, 60, "docker:1")]
    past += [grown("cgroup", "/p", "cgroups.own_bytes", 2000, 60, "boot")]
    told = recalled(CGROUPS, groups, *past).leaking
    assert [(one.name, one.growth_share) for one in told] == [("web", 1.0), ("/p", 1.0)]


def test_processes_that_belong_to_nobody_leak() -> None:
    past = [grown("process", f"java:{pid}", "processes.own_bytes", 2000, 60, f"{pid}:5") for pid in (9, 10)]
    assert [one.name for one in recalled(PROCESSES, READINGS[Processes], *past).leaking] == ["java (pid 9)"]


def test_a_cache_of_the_kernel_and_all_its_objects_leak() -> None:
    past = [grown("kernel", "filp", "slab.cache_bytes", 2000, 60, "boot")]
    past += [grown("kernel", "", "slab.unreclaimable_bytes", 2000, 60, "boot")]
    told = recalled(SLAB, READINGS[SlabReading], *past)
    assert [one.name for one in told.leaking] == ["slab cache filp", "unreclaimable slab memory"]


def test_page_tables_and_per_cpu_memory_leak() -> None:
    memory = msgspec.structs.replace(READINGS[MEMORY.reading], page_tables_bytes=900 * MIB, percpu_bytes=10 * MIB)
    past = [grown("kernel", "", "memory.page_tables_bytes", 900, 18, "boot")]
    past += [grown("kernel", "", "memory.percpu_bytes", 10, 0, "boot")]
    assert [one.name for one in recalled(MEMORY, memory, *past).leaking] == ["page tables"]


def test_the_reading_of_now_is_the_newest_point_whatever_the_clock_did() -> None:
    ahead = [point for one in PAST for point in one.points if one.name == LEAKY.name]
    future = Series("unit", LEAKY.name, "units.own_bytes", tuple(ahead))
    back = EarlierReadings(AT - 24 * HOUR, now().readings, (future,), boot="boot")
    (leak,) = UNITS.recall(SERVICES, back).leaking  # type: ignore[misc,union-attr]
    assert leak.known_seconds == pytest.approx(24 * HOUR, abs=EVERY)


def hour_old(name: str = "db.service") -> Series:
    """Grew by 600 MiB in its only hour, after two days of another service."""
    points = grown("unit", name, "units.own_bytes", 1600, 600, "new").points
    return Series("unit", name, "units.own_bytes", points[-12:])


@pytest.mark.parametrize(("age", "told"), [(3600.0, False), (7 * HOUR, True), (None, False)])
def test_who_was_started_an_hour_ago_warms_up(age: float | None, told: bool) -> None:  # noqa: FBT001
    young = MemoryHolder("db.service", 1600 * MIB, "new", age=age)
    earlier = now(PAST[0], hour_old())
    assert bool(leaks_of("unit", "units.own_bytes", [young], earlier)) == told


def test_who_is_known_as_long_as_its_host_may_be_old() -> None:
    unknown = MemoryHolder("db.service", 1600 * MIB, "new")
    assert leaks_of("unit", "units.own_bytes", [unknown], now(hour_old()))


def test_the_kernel_warms_up_after_a_boot() -> None:
    slab = READINGS[SlabReading]
    points = grown("kernel", "", "slab.unreclaimable_bytes", 2000, 600, "boot").points[-12:]
    earlier = now(Series("kernel", "", "slab.unreclaimable_bytes", points))
    assert earlier.boot == "boot"
    recall: Any = SLAB.recall
    assert [one.name for one in recall(slab, earlier).leaking] == ["unreclaimable slab memory"]
    booted = msgspec.structs.replace(earlier, readings={**earlier.readings, "host": HostReading(uptime_seconds=3600.0)})
    assert recall(slab, booted).leaking == []


def test_a_service_of_which_systemd_says_nothing_now_still_leaks_and_says_so() -> None:
    bare = Service(name=LEAKY.name, active=True, state="unknown", own_bytes=4000 * MIB, cgroup=LEAKY.cgroup)
    (leak,) = recalled(UNITS, Units(count=1, all=[bare], suspects=[]), *PAST).leaking
    assert (leak.details_known, leak.restartable, leak.limit_bytes) == (False, False, 8192 * MIB)
    assert leak.lives == 1
    assert leak.gained_bytes > 2000 * MIB


def test_a_holder_with_a_very_long_name_leaks_as_any_other() -> None:
    names = [f"/{'a' * 300}/{last}" for last in ("one", "two")]
    series = [
        grown("cgroup", kept_name(name), "f", 2000, speed, "1") for name, speed in zip(names, (60, 0), strict=True)
    ]
    found = leaks_of("cgroup", "f", [MemoryHolder(name, 2000 * MIB, "1") for name in names], now(*series))
    assert [one.name for one in found] == names[:1]


def test_readings_of_a_clock_that_was_ahead_are_no_history_yet() -> None:
    points = tuple(Observation(AT + DAY + number * EVERY, 1.0, "1") for number in range(20))
    told = lacking(now(Series("unit", "api.service", "f", points)), ("unit", "f"))
    assert told is not None
    assert "only this reading is known" in told.why
