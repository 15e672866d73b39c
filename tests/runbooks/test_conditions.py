"""When the shipped runbooks see an incident, and when they call it over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import (
    ABSENT,
    EVENTS,
    OLD_EVENTS,
    SWAPPING,
    THRASHING,
    book,
    causes,
    fragments,
    service,
    services,
    snapshot,
    states,
    writing,
)  # fmt: skip

from memrunbook.core.plan.planner import make_plan
from memrunbook.core.units import GIB, KIB, MIB
from memrunbook.facts.oom import AllocationFailure, OomEvent

NAMES = ("kernel-tuning", "memory-fragmentation", "memory-leak", "memory-shortage", "oom-event",
         "preventive-maintenance", "swap-capacity", "swap-exhausted", "swap-thrashing", "writeback-stall")  # fmt: skip
WRITES = writing(MIB, GIB, GIB // 2)
OLD = {"vmstat": OLD_EVENTS, "pressure": ABSENT, "thp": ABSENT, "sysctl.vm.zone_reclaim_mode": ABSENT}
"""Linux 3.10 without CONFIG_NUMA and without transparent huge pages."""
STALLING = {"vmstat": msgspec.structs.replace(OLD_EVENTS, allocstalls_per_second=50.0)}
FEW = {"memory.available_bytes": 640 * MIB, "memory.available_percent": 3.9}
FULL_SWAP = {"swap.free_percent": 5.0, "swap.used_bytes": 7 * GIB}
NO_SWAP = {"swap.total_bytes": 0, "swap.free_percent": ABSENT}
HOLEY = [9000, 6000, 2500, 0, 0, 0, 0, 0, 0, 0, 0]
ROOMY = [3000, 3000, 2500, 2000, 1500, 900, 500, 300, 200, 150, 900]
AGED = [9000, 8000, 5000, 3000, 900, 300, 100, 40, 10, 3, 0]
FALLBACKS = {"vmstat": msgspec.structs.replace(EVENTS, thp_fault_fallbacks_per_second=3.0)}
FAILED = {"oom.failures": [AllocationFailure(age_seconds=60.0, order=3, name="web", atomic=False, fallout=False)]}
TRAFFIC_PSI_OFF = {**THRASHING, "pressure": ABSENT, "vmstat.major_faults_per_second": 520.0}
ZRAM = {**TRAFFIC_PSI_OFF, "swap.zram_only": True, "memory.available_percent": 35.0, "memory.available_bytes": 20 * GIB}
OLD_SWAPPING = {**SWAPPING, "pressure": ABSENT, "vmstat": OLD_EVENTS}
READING_AGAIN = {
    "pressure": ABSENT,
    "memory.available_percent": 11.0,
    **dict.fromkeys(("vmstat.file_refaults_per_second_min", "vmstat.major_faults_per_second_min"), 400.0),
}
DAY = 86400.0


@pytest.mark.parametrize("host", [WRITES, {**WRITES, **OLD, **fragments(AGED)}], ids=["new", "old"])
@pytest.mark.parametrize("name", NAMES)
def test_a_calm_host_is_calm_and_known(name: str, host: dict[str, Any]) -> None:
    said = states(book(name), snapshot(host))
    assert said["incident"] == "fails", said
    assert "unknown" not in said.values(), said


CASES: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    # What an old kernel does not count neither makes an incident nor keeps one open.
    ("quiet, low", "memory-shortage", {**OLD, **FEW}, {"low": "holds", "incident": "fails"}),
    ("old, short", "memory-shortage", {**OLD, **FEW, **STALLING}, {"incident": "holds", "resolved": "fails"}),
    ("old, cured", "memory-shortage", OLD, {"incident": "fails", "resolved": "holds"}),
    ("old, cured", "swap-exhausted", OLD, {"resolved": "holds"}),
    ("old, cured", "swap-thrashing", OLD, {"resolved": "holds"}),
    ("old, cured", "oom-event", OLD, {"resolved": "holds"}),
    ("old, swapping in peace", "swap-thrashing", {**SWAPPING, "vmstat": OLD_EVENTS}, {"incident": "fails"}),
    # Percentages of large hosts.
    ("cold pages on 1 TiB", "swap-exhausted",
     {**FULL_SWAP, "memory.available_bytes": 92 * GIB, "memory.available_percent": 9.0},
     {"exhausted": "fails", "full-and-calm": "holds", "incident": "fails"}),
    ("full and short", "swap-exhausted", {**FULL_SWAP, **FEW}, {"exhausted": "holds", "incident": "holds"}),
    ("cold pages on 1 TiB", "swap-thrashing",
     {**FULL_SWAP, "memory.available_bytes": 92 * GIB, "memory.available_percent": 9.0},
     {"exhausted": "fails", "incident": "fails", "resolved": "holds"}),
    ("full and short", "swap-thrashing", {**FULL_SWAP, **FEW}, {"exhausted": "holds", "resolved": "fails"}),
    ("240 of 256 GiB in huge pages", "swap-capacity",
     {**NO_SWAP, "memory.available_bytes": 14 * GIB, "memory.available_percent": 5.5}, {"incident": "fails"}),
    ("no swap and short", "swap-capacity", {**NO_SWAP, **FEW}, {"incident": "holds"}),
    # Without PSI.
    ("old, swapping in peace", "swap-thrashing", OLD_SWAPPING, {"thrashing": "fails"}),
    ("old, and all wait for the disk", "swap-thrashing", {**OLD_SWAPPING, "cpu.iowait_percent": 35.0},
     {"thrashing": "holds"}),
    ("cured, the caches fill again", "memory-shortage", {"vmstat.file_refaults_per_second": 900.0},
     {"resolved": "holds"}),
    ("still read again and again", "memory-shortage",
     {"vmstat.file_refaults_per_second": 900.0, "memory.available_percent": 45.0, "pressure.full.percent": 8.0},
     {"resolved": "fails"}),
    ("files read again, nobody waits", "memory-shortage", READING_AGAIN, {"file-thrash": "fails"}),
    ("files read again, tasks reclaim", "memory-shortage", {**READING_AGAIN, "vmstat.allocstalls_per_second": 2.0},
     {"file-thrash": "holds"}),
    ("files read again, all wait for the disk", "memory-shortage", {**READING_AGAIN, "cpu.iowait_percent": 35.0},
     {"file-thrash": "holds"}),
    ("faults from a disk", "swap-thrashing", TRAFFIC_PSI_OFF, {"thrashing": "holds"}),
    ("faults from zram", "swap-thrashing", ZRAM, {"thrashing": "fails"}),
    ("zram and nobody waits", "swap-thrashing", {**ZRAM, **FEW}, {"thrashing": "fails"}),
    ("zram and all wait", "swap-thrashing", {**ZRAM, **FEW, "vmstat.allocstalls_per_second": 9.0},
     {"thrashing": "holds"}),
    # A zone that has what is wanted serves for all.
    ("DMA32 alone", "memory-fragmentation", fragments(HOLEY, ROOMY), {"blocked": "fails", "incident": "fails"}),
    ("DMA32 alone, huge pages refused", "memory-fragmentation", {**FALLBACKS, **fragments(HOLEY, ROOMY)},
     {"huge-starved": "fails", "incident": "fails", "resolved": "holds"}),
    ("both zones", "memory-fragmentation", fragments(HOLEY, HOLEY), {"blocked": "holds", "resolved": "fails"}),
    ("a failure that DMA32 explains", "memory-fragmentation", {**FAILED, **fragments(HOLEY, ROOMY)},
     {"incident": "holds", "resolved": "fails"}),
    # Huge pages are wanted where somebody asks in vain.
    ("aged, huge pages refused", "memory-fragmentation", {**FALLBACKS, **fragments(AGED)}, {"huge-starved": "holds"}),
    ("aged, a pool that is complete", "memory-fragmentation",
     {**fragments(AGED), "hugepages.total": 512, "sysctl_files.nr_hugepages": 512}, {"incident": "fails"}),
    ("aged, a pool that is too small", "memory-fragmentation",
     {**fragments(AGED), "hugepages.total": 500, "sysctl_files.nr_hugepages": 512}, {"incident": "holds"}),
    ("aged, a pool of its own", "preventive-maintenance", {**fragments(AGED), "hugepages.total": 512},
     {"incident": "fails"}),
    ("aged, huge pages refused", "preventive-maintenance", {**FALLBACKS, **fragments(AGED)}, {"incident": "holds"}),
    # Writers wait, whatever the limit is.
    ("at the limit that was set", "writeback-stall", writing(60 * MIB, 64 * MIB, 16 * MIB, io_full=80.0),
     {"stalled": "holds", "resolved": "fails"}),
    ("written", "writeback-stall", writing(MIB, 64 * MIB, 16 * MIB), {"resolved": "holds"}),
    ("written, the disk is still busy", "writeback-stall", writing(MIB, 64 * MIB, 16 * MIB, io_full=50.0),
     {"resolved": "fails"}),
    ("written, without PSI", "writeback-stall", {**writing(MIB, 64 * MIB, 16 * MIB), "pressure": ABSENT},
     {"resolved": "holds"}),
    ("some wait, without PSI", "writeback-stall", {**writing(MIB, 64 * MIB, 16 * MIB, blocked=1), "pressure": ABSENT},
     {"resolved": "fails"}),
    ("the writer is frozen", "writeback-stall",
     {**writing(MIB, 64 * MIB, 16 * MIB), **services(service("w.service", GIB, freezer_state="frozen"))},
     {"resolved": "fails"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "runbook", "changes", "expected"), CASES, ids=[f"{c[1]}: {c[0]}" for c in CASES])
def test_what_a_runbook_says_of_a_host(
    name: str, runbook: str, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    said = states(book(runbook), snapshot(WRITES, changes))
    assert {key: said[key] for key in expected} == expected, name


@pytest.mark.parametrize(
    ("left", "samples", "seconds", "expected"),
    [
        (900.0, 13, 120.0, {"leaking": "holds", "soon": "holds", "slow": "fails", "resolved": "fails"}),
        (40_000.0, 13, 120.0, {"leaking": "holds", "soon": "fails", "slow": "fails", "resolved": "fails"}),
        (8 * DAY, 13, 120.0, {"leaking": "fails", "soon": "fails", "slow": "holds", "resolved": "holds"}),
        (900.0, 6, 50.0, {"leaking": "fails", "soon": "fails", "slow": "fails", "resolved": "fails"}),
        (900.0, 8, 40.0, {"leaking": "fails", "soon": "fails", "slow": "fails", "resolved": "fails"}),
        (900.0, 8, 60.0, {"leaking": "holds", "soon": "holds", "slow": "fails", "resolved": "fails"}),
    ],
)
def test_a_leak_is_judged_by_a_watch_and_by_what_is_left(
    left: float, samples: int, seconds: float, expected: dict[str, str]
) -> None:
    leak = services(service("leaky.service", GIB, 2 * MIB, seconds_to_exhaustion=left))
    said = states(book("memory-leak"), snapshot(leak, {"units.samples": samples, "units.watched_seconds": seconds}))
    assert {key: said[key] for key in expected} == expected
    assert said["incident"] == expected["leaking"]


def test_no_leak_is_over_before_it_was_watched_again() -> None:
    def after(samples: int, seconds: float) -> str:
        return states(book("memory-leak"), snapshot({"units.samples": samples, "units.watched_seconds": seconds}))[
            "resolved"
        ]

    assert [after(2, 10.0), after(2, 120.0), after(8, 20.0), after(13, 120.0)] == ["fails", "fails", "fails", "holds"]


@pytest.mark.parametrize("name", ["swap-thrashing", "swap-exhausted", "memory-shortage"])
def test_who_grows_fast_is_likelier_the_cause_than_who_is_large(name: str) -> None:
    found = services(service("catalog.service", 30 * GIB), service("leaky.service", 12 * GIB, 40 * MIB))
    seen = snapshot(THRASHING, FULL_SWAP, FEW, found)
    assert causes(book(name), seen)[:2] == ["leaky.service", "catalog.service"]


def test_only_zones_that_fail_are_named() -> None:
    runbook = book("memory-fragmentation")
    assert causes(runbook, snapshot(fragments(HOLEY, HOLEY))) == ["zone DMA32", "zone Normal"]
    aged = snapshot({**FALLBACKS, **fragments(AGED, AGED)})
    assert causes(runbook, aged) == ["zone DMA32", "zone Normal"]
    short = [0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]
    assert causes(runbook, snapshot(fragments(HOLEY, short))) == ["zone DMA32"]


def killed_by(kind: str) -> dict[str, Any]:
    one = OomEvent(class_=kind, age_seconds=60.0, victim="web", victim_bytes=MIB, unit="web.service", largest="firefox",
                   largest_bytes=GIB, victim_is_largest=False)  # fmt: skip
    alone = msgspec.structs.replace(one, unit="")
    return {"oom.events": [one, alone], "oom.last_class": kind, "oom.last_age_seconds": 60.0}


def test_a_failed_page_fault_is_told_and_nobody_is_blamed() -> None:
    runbook, fault, full = book("oom-event"), snapshot(killed_by("page-fault")), snapshot(killed_by("global"))
    said = states(runbook, fault)
    assert (said["happened"], said["page-fault"], said["wrong-victim"]) == ("holds", "holds", "fails")
    assert (causes(runbook, fault), causes(runbook, full)) == ([], ["firefox", "web.service"])
    assert states(runbook, full)["page-fault"] == "fails"
    assert [step.id for step in make_plan(runbook, fault).changes] == ["evidence"]


def test_a_kill_since_the_run_began_keeps_an_event_open() -> None:
    runbook = book("oom-event")
    killed = snapshot({"vmstat.oom_kills": 1})
    assert states(runbook, killed, before=snapshot())["resolved"] == "fails"
    logged = snapshot(OLD, {"oom.count_24h": 1})
    assert states(runbook, logged, before=snapshot(OLD))["resolved"] == "fails"
    assert states(runbook, logged, before=logged)["resolved"] == "holds"


def test_traffic_to_disk_thrashes_by_its_refaults_where_they_are_counted() -> None:
    calm = {**THRASHING, "vmstat.anonymous_refaults_per_second": 2.0 * MIB / (4 * KIB) * 0.49}
    assert states(book("swap-thrashing"), snapshot(calm))["thrashing"] == "fails"
    assert states(book("swap-thrashing"), snapshot(THRASHING))["thrashing"] == "holds"
