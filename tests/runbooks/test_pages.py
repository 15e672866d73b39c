"""What somebody in trouble reads: the figures that decide, what helps, nothing twice, nothing that contradicts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.test_held_and_limits import event, frozen, killed, ours, victim
from tests.runbooks.test_pressure import FILES_THRASH, FULL_SWAP, LOPSIDED, STANDSTILLS, available, psi, reclaiming
from tests.runbooks.test_where import foreign
from tests.runbooks.worlds import SWAPPING, THRASHING, book, planned, service, services, snapshot, states
from tests.unit.actions.hosts import WORKER

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.diagnosis import diagnose
from memrunbook.core.plan.standing import standing
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB
from memrunbook.documents.shipped import shipped
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.layout import lay_out

BOOKS = [book(path.stem) for path in sorted(shipped("runbooks").glob("*.yaml"))]
GROWER = service("hog.service", 40 * GIB, 40 * MIB)
SICK: list[Snapshot] = [
    *(snapshot(one) for one in FILES_THRASH),
    *(snapshot(one) for one in STANDSTILLS),
    snapshot(THRASHING, services(GROWER)),
    snapshot(FULL_SWAP, available(14.0), psi(22.0), reclaiming(30.0, 20.0)),
    snapshot(available(3.0), psi(10.0), reclaiming(20.0, 40.0), foreign(40, 0)),
    snapshot({"sysctl.vm.overcommit_memory": 2, "memory.committed_percent": 97.0, "oom.logs_refusals": True,
              "oom.refusal_age_seconds": 60.0, "oom.overcommit_refusals": 4}),
]  # fmt: skip


def page(seen: Snapshot, **options: Any) -> str:
    blocks = diagnosis_view(diagnose(BOOKS, seen), seen, **options)
    return "\n".join("".join(span.text for span in line).rstrip() for line in lay_out(blocks, 80))


def flat(seen: Snapshot, **options: Any) -> str:
    return " ".join(page(seen, **options).split())


@pytest.mark.parametrize("seen", SICK)
def test_a_finding_is_told_by_three_figures_at_most_and_an_incident_by_its_own_findings(seen: Snapshot) -> None:
    stands = standing(diagnose(BOOKS, seen).runbooks)
    found = [finding for findings in stands.within.values() for finding in findings]
    assert found
    assert all(1 <= len(finding.telling) <= 3 for finding in found)
    assert any(finding.decides for finding in found)
    names = [finding.name for finding in (*found, *stands.apart, *stands.tuning)]
    assert len(names) == len(set(names))
    text = page(seen)
    assert max(map(len, text.splitlines())) <= 80
    assert not [word for word in ("supported", "counts refaults", "page size", "(lowest)") if word in text]


def test_what_helps_stands_under_the_incident_and_settings_do_not() -> None:
    text = flat(snapshot(THRASHING, available(26.0), LOPSIDED))
    assert "Spread them (numactl --interleave=all" in text
    assert "NUMA node 0 with 0.2 % free" in text
    high = flat(snapshot(THRASHING, {"sysctl.vm.swappiness": 80}))
    assert "favours swapping" not in high
    assert "Tuning: " in high


def test_what_is_short_is_told_once() -> None:
    text = flat(snapshot(available(1.2), psi(20.0), reclaiming(20.0, 60.0)))
    assert "Memory is short and processes wait for it" in text
    assert "Available memory is low" not in text
    assert "Less memory is available than a host should keep" not in text
    cold = flat(snapshot(FULL_SWAP, available(50.0)))
    assert ("Swap is full of cold pages" in cold, "Cold pages lie in swap" in cold) == (True, False)


@pytest.mark.parametrize(
    ("percent", "full", "stalls", "short"),
    [(3.0, 9.0, 20.0, "holds"), (4.9, 5.0, 1.0, "holds"), (3.0, 1.0, 0.0, "fails"), (3.0, 9.0, 0.0, "fails"),
     (6.0, 9.0, 20.0, "fails")],
)  # fmt: skip
def test_a_large_host_is_short_where_all_wait_though_gibibytes_are_left(
    percent: float, full: float, stalls: float, short: str
) -> None:
    """Three per cent of 64 GiB is much, and a database may leave no more; that all wait for it decides."""
    said = states(book("memory-shortage"), snapshot(available(percent), psi(full), reclaiming(stalls, 60.0)))
    assert said["starving"] == short


def test_who_waits_for_files_gets_no_limit() -> None:
    waiting = msgspec.structs.replace(
        WORKER, major_faults_per_second=2500.0, major_fault_share=0.9, unit="search.service"
    )
    seen = snapshot(FILES_THRASH[0], {"processes.faulting": [waiting]})
    text = flat(seen)
    assert "search.service" in text
    assert "a limit on it makes it worse" in text
    assert "MemoryMax" not in text


@pytest.mark.parametrize(("size", "decision"), [(12 * MIB, "not_needed"), (3 * GIB, "not_needed"), (4 * GIB, "change")])
def test_only_who_holds_a_share_of_the_memory_is_frozen_before_the_killer_comes(size: int, decision: str) -> None:
    grower = service("g.service", size, 2 * MIB, policy=UnitPolicy(restart="yes", freeze="yes"))
    seen = snapshot(SWAPPING, FULL_SWAP, services(grower))
    assert planned(book("swap-exhausted"), seen, "freeze-grower").decision == decision


@pytest.mark.parametrize(("size", "told"), [(12 * MIB, False), (600 * MIB, False), (700 * MIB, True), (9 * GIB, True)])
def test_a_small_service_that_grows_is_no_news(size: int, *, told: bool) -> None:
    text = flat(snapshot(services(service("g.service", size, 2 * MIB))))
    assert ("A service grows" in text) is told


def test_a_container_at_its_own_limit_is_no_group_above_it() -> None:
    own = event("", "/docker/c1", task_memcg="/docker/c1")
    assert states(book("oom-event"), killed(events=[own]))["group-limit"] == "fails"
    above = event("web.service", "/app.slice", task_memcg="/app.slice/web.service")
    text = flat(killed(victim("web.service", own_limit=False), events=[above]))
    assert "The limit of a group above the services was hit" in text


def test_a_service_that_runs_again_is_not_called_down() -> None:
    up = victim("app.service", active=True, failed=False, state="active")
    events = [event("app.service", "/system.slice/app.service")]
    assert states(book("oom-event"), killed(up, events=events))["victim-down"] == "fails"
    waits = victim("app.service", active=False, failed=False, state="activating")
    assert states(book("oom-event"), killed(waits, events=events))["victim-down"] == "holds"


@pytest.mark.parametrize(
    ("changes", "advised"),
    [
        ({"class_": "global", "task_memory_percent": 90.0}, True),
        ({"class_": "global", "task_memory_percent": 12.0}, False),
        ({"class_": "cpuset", "task_memory_percent": 90.0}, False),
        ({"class_": "mempolicy"}, False),
    ],
)
def test_no_limit_is_advised_that_would_not_have_saved_the_victim(changes: dict[str, Any], *, advised: bool) -> None:
    known = {"oom_memcg": "", "limit_bytes": None, "victim": "java", "victim_bytes": 9 * GIB, **changes}
    seen = killed(events=[msgspec.structs.replace(event("app.service", ""), **known)])
    assert ("MemoryMax" in flat(seen)) is advised


def test_what_happened_this_hour_is_told_by_its_incident_alone() -> None:
    name = "The OOM killer was at work in the last 24 h"
    assert name not in flat(killed(events=[event("app.service", "/system.slice/app.service")]))
    earlier = event("app.service", "/system.slice/app.service", age_seconds=7200.0)
    assert name in flat(killed(events=[earlier], **{"oom.last_age_seconds": 7200.0}))


def test_a_flag_that_is_true_is_said_by_its_name_alone() -> None:
    text = flat(snapshot({"oom.log_lost": True, "oom.lost_age_seconds": 60.0}))
    assert text.startswith("WARNING: the kernel counted kills that its log no longer shows on search-03: oom lost age")
    assert "log lost" not in text


def test_what_is_unknown_for_one_reason_is_not_told_line_by_line() -> None:
    seen = snapshot({"oom": Unavailable("denied", "dmesg: Operation not permitted")})
    assert " more for the same reason (-v)" in flat(seen)
    assert " more for the same reason" not in flat(seen, verbose=True)


def test_an_incident_that_is_only_held_is_not_said_to_go_on() -> None:
    seen = snapshot(frozen("batch.service", **ours("swap-thrashing")))
    assert flat(seen).startswith("WARNING: swap thrashing may be held back on search-03: batch.service is frozen")
