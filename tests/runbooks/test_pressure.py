"""Who suffers decides, not what counts as available: files that thrash, reclaim in vain, full nodes, a full swap."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import (
    ABSENT,
    CALM_PSI,
    OLD_EVENTS,
    THRASHING,
    book,
    causes,
    planned,
    service,
    services,
    snapshot,
    states,
)
from tests.unit.actions.hosts import WORKER

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import GIB, KIB, MIB
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.numa import NumaReading
from memrunbook.facts.pressure import IoPressure, PressureReading, Stall
from memrunbook.facts.processes import Process
from memrunbook.facts.shared.group import Group

PRESSED = Group(path="/job", name="job", kind="container", unit="", container="docker:job", usage_percent=100.0)
LOCAL = {"cgroups": CgroupsReading(version=2, seen=1, shown=1, all=[PRESSED], pressed=[PRESSED])}
NO_SWAP = {"swap.total_bytes": 0, "swap.free_percent": ABSENT}
FULL_SWAP = {"swap.free_percent": 0.0, "swap.used_bytes": 8 * GIB}
NO_PSI = {"pressure": ABSENT}
NOTHING_SCANNED = Unavailable("failed", "nothing was scanned")


def available(percent: float) -> dict[str, Any]:
    """Of 64 GiB."""
    return {"memory.available_percent": percent, "memory.available_bytes": int(64 * GIB * percent / 100)}


def psi(full: float, some: float | None = None, *, lasting: bool = True) -> dict[str, Any]:
    """All wait for so many percent of the time, for minutes or just now."""
    both = [Stall(percent, percent, *(2 * [percent if lasting else 1.0])) for percent in (full, some or full + 5.0)]
    return {"pressure": PressureReading(full=both[0], some=both[1], io=IoPressure(CALM_PSI, CALM_PSI))}


def events(**rates: float | Unavailable | bool) -> dict[str, Any]:
    return {f"vmstat.{name}": value for name, value in rates.items()}


def rereading(refaults: float, majors: float, **more: Any) -> dict[str, Any]:
    """File pages that are read again, and faults that read a disk, a second."""
    kinds = {"file_refaults_per_second": refaults, "major_faults_per_second": majors}
    return events(**kinds, **{f"{kind}_min": value for kind, value in kinds.items()}, **more)


def reclaiming(stalls: float, efficiency: float | Unavailable, **more: Any) -> dict[str, Any]:
    """So many tasks a second look for memory themselves; so many of 100 pages are taken."""
    return events(
        allocstalls_per_second=stalls,
        direct_scans_per_second=stalls * 1000.0,
        direct_reclaim_efficiency_percent=efficiency,
        **more,
    )


KSWAPD = events(kswapd_scans_per_second=4000.0)
EL7 = {"vmstat": OLD_EVENTS, "pressure": ABSENT, "thp": ABSENT}
PAGES_64K = {"host.page_size_bytes": 64 * KIB}

FILES_THRASH: list[dict[str, Any]] = [
    {**NO_SWAP, **available(24.5), **psi(12.0), **rereading(2800.0, 2800.0), **KSWAPD},
    # A disk of 90 reads a second that brings ten pages with each.
    {**available(35.0), **psi(31.0), **rereading(900.0, 88.0), **KSWAPD},
    {**PAGES_64K, **available(27.0), **psi(8.0), **rereading(60.0, 60.0), **KSWAPD},
    {**available(55.0), **psi(6.0), **rereading(700.0, 350.0), **reclaiming(3.0, 70.0)},
    {**NO_PSI, **available(28.0), **rereading(900.0, 900.0), **reclaiming(4.0, 40.0)},
    {**available(24.0), **EL7, **rereading(0.0, 800.0), **reclaiming(20.0, 12.0, reclaim_efficiency_percent=12.0)},
    {**available(15.0), **psi(3.0, 14.0), **rereading(400.0, 400.0)},
    # A container at its limit beside it does not excuse a host whose tasks reclaim everywhere.
    {**LOCAL, **available(26.0), **psi(20.0), **rereading(1500.0, 900.0), **reclaiming(40.0, 30.0)},
]
FILES_DO_NOT: list[dict[str, Any]] = [
    # A backup reads far more than fits, in calls that wait for no memory; then the same without PSI, on a busy disk.
    {**available(60.0), **rereading(9000.0, 3.0), **KSWAPD},
    {**available(60.0), **NO_PSI, **rereading(9000.0, 3.0), **KSWAPD, "cpu.iowait_percent": 35.0},
    # A database warms up: everything is read for the first time.
    {**available(70.0), **psi(0.5), **rereading(0.0, 1500.0), **KSWAPD},
    # A database on mmap with more data than memory, and nobody knows whether somebody waits.
    {**available(60.0), **NO_PSI, **rereading(600.0, 600.0), **KSWAPD, "cpu.iowait_percent": 35.0},
    {**available(60.0), **EL7, **rereading(0.0, 900.0), **KSWAPD, "cpu.iowait_percent": 35.0},
    {**available(60.0), **EL7, **rereading(0.0, 900.0), **reclaiming(2.0, 96.0, reclaim_efficiency_percent=97.0)},
    # Stalls without major faults, and both without anything that is evicted on the host.
    {**available(40.0), **psi(9.0), **rereading(5000.0, 4.0), **KSWAPD},
    {**available(70.0), **psi(20.0), **rereading(2000.0, 2000.0)},
    {**LOCAL, **available(70.0), **psi(20.0), **rereading(2000.0, 2000.0), **KSWAPD},
    {**available(30.0), **psi(12.0), **rereading(100.0, 2000.0), **KSWAPD},
]


@pytest.mark.parametrize("host", FILES_THRASH)
def test_files_thrash_whatever_counts_as_available(host: dict[str, Any]) -> None:
    said = states(book("memory-shortage"), snapshot(host))
    assert (said["file-thrash"], said["incident"], said["resolved"]) == ("holds", "holds", "fails")


@pytest.mark.parametrize("host", FILES_DO_NOT)
def test_much_reading_alone_is_no_incident(host: dict[str, Any]) -> None:
    said = states(book("memory-shortage"), snapshot(host))
    assert (said["file-thrash"], said["incident"]) == ("fails", "fails")


STANDSTILLS: list[dict[str, Any]] = [
    {**NO_SWAP, **available(25.0), **psi(43.0), **reclaiming(480.0, 1.0)},
    {**available(60.0), **psi(90.0), **reclaiming(1.5, 80.0)},
    {**LOCAL, **available(40.0), **psi(55.0), **reclaiming(30.0, 2.0)},
    {**available(30.0), **psi(48.0), **rereading(3000.0, 0.0), **KSWAPD},
    {**available(18.0), **psi(41.0)},
    {**PAGES_64K, **available(45.0), **psi(70.0), **rereading(40.0, 10.0), **KSWAPD},
]
NO_STANDSTILLS: list[dict[str, Any]] = [
    # A container held at memory.high stalls most of what runs on an idle host; nothing is evicted on the host itself.
    {**LOCAL, **available(55.0), **psi(70.0), **rereading(900.0, 200.0), **KSWAPD},
    {**LOCAL, **available(55.0), **psi(70.0), **reclaiming(2.0, 60.0)},
    {**available(55.0), **psi(70.0), **reclaiming(0.0, NOTHING_SCANNED)},
    {**available(25.0), **psi(45.0, lasting=False), **reclaiming(5.0, 60.0)},
    {**available(25.0), **psi(30.0), **reclaiming(5.0, 60.0)},
    {**available(25.0), **psi(45.0), **rereading(3000.0, 0.0)},
]


@pytest.mark.parametrize("host", STANDSTILLS)
def test_all_wait_whatever_counts_as_available(host: dict[str, Any]) -> None:
    said = states(book("memory-shortage"), snapshot(host))
    assert (said["stalled"], said["incident"]) == ("holds", "holds")


@pytest.mark.parametrize("host", NO_STANDSTILLS)
def test_who_waits_at_its_own_limit_does_not_make_the_host_short(host: dict[str, Any]) -> None:
    said = states(book("memory-shortage"), snapshot(host))
    assert (said["stalled"], said["incident"]) == ("fails", "fails")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({**available(25.0), **psi(15.0), **reclaiming(480.0, 1.0)}, "holds"),
        ({**available(60.0), **psi(11.0), **reclaiming(12.0, 9.0)}, "holds"),
        ({**available(25.0), **NO_PSI, **reclaiming(90.0, 3.0), "cpu.iowait_percent": 40.0}, "holds"),
        ({**available(12.0), **NO_PSI, **reclaiming(90.0, 3.0)}, "holds"),
        ({**available(25.0), **EL7, **reclaiming(90.0, 3.0), "cpu.iowait_percent": 25.0}, "holds"),
        ({**available(25.0), **psi(15.0), **reclaiming(480.0, 60.0)}, "fails"),
        ({**available(25.0), **psi(2.0), **reclaiming(480.0, 1.0)}, "fails"),
        ({**available(25.0), **psi(15.0), **reclaiming(2.0, 1.0)}, "fails"),
        ({**available(60.0), **NO_PSI, **reclaiming(90.0, 3.0)}, "fails"),
        ({**available(60.0), **reclaiming(0.0, NOTHING_SCANNED)}, "fails"),
    ],
)
def test_reclaim_that_finds_nothing_is_an_incident_where_somebody_waits(host: dict[str, Any], expected: str) -> None:
    assert states(book("memory-shortage"), snapshot(host))["reclaim-in-vain"] == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        # The caches fill again, and nobody waits; then somebody does; then nothing is read again.
        ({**available(60.0), **rereading(2000.0, 900.0)}, "holds"),
        ({**available(60.0), **psi(9.0), **rereading(2000.0, 900.0)}, "fails"),
        ({**available(60.0), **psi(9.0), **LOCAL}, "holds"),
        ({**available(60.0), **NO_PSI, **rereading(2000.0, 900.0), "cpu.iowait_percent": 40.0}, "fails"),
        ({**available(60.0), **NO_PSI, **rereading(2000.0, 900.0), "cpu.iowait_percent": 4.0}, "holds"),
        ({**available(60.0), **EL7, **rereading(0.0, 900.0), "cpu.iowait_percent": 40.0}, "fails"),
        ({**available(60.0), **EL7, **rereading(0.0, 90.0), "cpu.iowait_percent": 40.0}, "holds"),
        ({**available(60.0), **reclaiming(1.0, 90.0)}, "fails"),
        ({**available(14.0)}, "fails"),
    ],
)
def test_a_shortage_is_over_when_nobody_waits_for_what_was_evicted(host: dict[str, Any], expected: str) -> None:
    assert states(book("memory-shortage"), snapshot(host))["resolved"] == expected


def faulter(name: str, share: float, unit: str = "", rss: int = 8 * GIB) -> Process:
    return msgspec.structs.replace(
        WORKER, name=name, unit=unit, rss_bytes=rss, major_fault_share=share, major_faults_per_second=3000.0 * share
    )


def test_who_faults_is_the_cause_where_memory_counts_as_available() -> None:
    hog = services(service("hoard.service", 30 * GIB))
    both = {"processes.faulting": [faulter("scan", 0.7), faulter("java", 0.3, "shop.service")]}
    lies = snapshot(FILES_THRASH[0], hog, both)
    assert causes(book("memory-shortage"), lies) == ["scan", "shop.service", "hoard.service"]
    short = snapshot(FILES_THRASH[0], available(12.0), hog, both)
    assert causes(book("memory-shortage"), short)[0] == "hoard.service"
    calm = snapshot(available(60.0), hog, both)
    assert causes(book("memory-shortage"), calm) == []


def test_who_faults_may_be_frozen_as_who_holds_may() -> None:
    calm = service("shop.service", GIB, policy=UnitPolicy(freeze="yes"))
    hog = services(calm, service("hoard.service", 30 * GIB))
    step = "freeze-hog"
    faults = {"processes.faulting": [faulter("java", 0.6, "shop.service")]}
    found = planned(book("memory-shortage"), snapshot(FILES_THRASH[0], hog, faults), step)
    assert (found.item, found.decision) == ("shop.service", "change")
    little = {"processes.faulting": [faulter("java", 0.2, "shop.service")]}
    assert planned(book("memory-shortage"), snapshot(FILES_THRASH[0], hog, little), step).decision == "not_needed"


LOPSIDED = {
    "numa": NumaReading(
        node_count=2, nodes=[], imbalanced=True, lopsided="node 0 with 0.2 % free beside node 1 with 43 %"
    )
}
EVEN = {"numa": NumaReading(node_count=2, nodes=[], imbalanced=False)}
IN_SWAP = {**THRASHING, **available(26.0)}


@pytest.mark.parametrize(
    ("host", "swapping", "stalling"),
    [
        ({**IN_SWAP, **LOPSIDED}, "holds", "fails"),
        ({**IN_SWAP, **LOPSIDED, **NO_PSI, "vmstat.major_faults_per_second": 700.0}, "holds", "fails"),
        ({**IN_SWAP, **LOPSIDED, **psi(7.0), "vmstat.allocstalls_per_second": 12.0}, "holds", "holds"),
        ({**NO_SWAP, **LOPSIDED, **psi(9.0), "vmstat.allocstalls_per_second": 40.0}, "fails", "holds"),
        ({**LOPSIDED, **EL7, **rereading(0.0, 900.0), "vmstat.allocstalls_per_second": 40.0}, "fails", "holds"),
        # One node full of page cache is what a healthy host looks like, however many requests it sends away.
        ({**LOPSIDED}, "fails", "fails"),
        ({**LOPSIDED, **KSWAPD, **rereading(4000.0, 30.0)}, "fails", "fails"),
        ({**LOPSIDED, **psi(0.5), "vmstat.allocstalls_per_second": 0.5}, "fails", "fails"),
        ({**LOPSIDED, **psi(9.0)}, "fails", "fails"),
        ({**IN_SWAP, **LOPSIDED, **LOCAL}, "fails", "fails"),
        ({**IN_SWAP, **EVEN}, "fails", "fails"),
        ({**IN_SWAP, "numa": ABSENT}, "fails", "fails"),
    ],
)
def test_a_full_node_beside_a_roomy_one_matters_where_somebody_swaps_or_waits(
    host: dict[str, Any], swapping: str, stalling: str
) -> None:
    said = [states(book(name), snapshot(host))["numa-imbalance"] for name in ("swap-thrashing", "memory-shortage")]
    assert said == [swapping, stalling]


@pytest.mark.parametrize(
    ("runbook", "steps"),
    [("swap-thrashing", ("restart-grower", "swap-less", "compress")), ("memory-shortage", ("restart-hog",))],
)
def test_where_a_node_is_full_neither_restart_nor_swappiness_is_offered(runbook: str, steps: tuple[str, ...]) -> None:
    hog = services(service("mysqld.service", 40 * GIB, 2 * MIB))
    high = {"sysctl.vm.swappiness": 100, "host.cgroup_version": 2}
    stalls = {**psi(20.0), "vmstat.allocstalls_per_second": 12.0}
    seen = snapshot(IN_SWAP, high, stalls, hog, LOPSIDED)
    assert causes(book(runbook), seen)[0] == "NUMA: node 0 with 0.2 % free beside node 1 with 43 %"
    for step in steps:
        found = planned(book(runbook), seen, step)
        assert (found.decision, "NUMA node is full" in found.why) == ("blocked", True), step
    even = snapshot(IN_SWAP, high, stalls, hog, EVEN)
    assert "NUMA" not in planned(book(runbook), even, steps[0]).why


@pytest.mark.parametrize(
    ("host", "stalled", "calm", "cold"),
    [
        ({**available(60.0)}, "fails", "holds", "holds"),
        ({**available(24.0), **psi(12.0), **KSWAPD}, "holds", "fails", "fails"),
        ({**available(35.0), **psi(8.0), "vmstat.allocstalls_per_second": 3.0}, "holds", "fails", "fails"),
        ({**available(13.0), **psi(30.0), **KSWAPD}, "holds", "fails", "fails"),
        ({**LOCAL, **available(30.0), **psi(30.0), "vmstat.allocstalls_per_second": 9.0}, "holds", "fails", "fails"),
        ({**available(30.0), **NO_PSI, **rereading(0.0, 700.0), "vmstat.allocstalls_per_second": 9.0},
         "holds", "fails", "fails"),
        ({"memory.available_percent": 9.0, "memory.available_bytes": 92 * GIB, **psi(12.0), **KSWAPD},
         "holds", "fails", "fails"),
        # A container that waits at its own limit makes no incident, but that nobody waits is not said either.
        ({**LOCAL, **available(60.0), **psi(30.0), **KSWAPD}, "fails", "fails", "fails"),
        ({**available(60.0), **NO_PSI}, "fails", "holds", "holds"),
    ],
)  # fmt: skip
def test_of_a_full_swap_nobody_waits_is_said_only_where_nobody_waits(
    host: dict[str, Any], stalled: str, calm: str, cold: str
) -> None:
    seen = snapshot(FULL_SWAP, host)
    said = states(book("swap-exhausted"), seen)
    assert (said["stalled"], said["full-and-calm"], said["incident"]) == (stalled, calm, stalled)
    # Once: that the swap is full of cold pages says the same.
    assert states(book("swap-thrashing"), seen)["cold"] == "fails"
    assert states(book("swap-thrashing"), snapshot(FULL_SWAP, host, {"swap.free_percent": 40.0}))["cold"] == cold
    if stalled == "holds":
        assert said["resolved"] == "fails"


def test_a_full_swap_is_no_incident_any_more_when_nobody_waits() -> None:
    assert states(book("swap-exhausted"), snapshot(FULL_SWAP, available(40.0)))["resolved"] == "holds"
    waits = snapshot({"swap.free_percent": 40.0}, available(40.0), psi(12.0))
    assert states(book("swap-exhausted"), waits)["resolved"] == "holds"
