from __future__ import annotations

import pytest
from tests.unit.actions.hosts import DENIED, host

from memrunbook.actions.shared import guards
from memrunbook.core.action.action import Blocked
from memrunbook.core.reading.fact import Unavailable

NO_PSI = Unavailable("absent", "no PSI")


def test_a_missing_fact_blocks_with_its_reason_and_a_remedy() -> None:
    blocked = guards.known("memory.free_bytes", "host.boot_id")(host({"host.boot_id": DENIED}))
    assert blocked == Blocked("host.boot_id is unknown: permission denied", guards.HINTS["denied"])


def test_the_name_of_the_metric_is_not_said_twice() -> None:
    blocked = guards.known("swap.free_percent")(host())
    assert blocked == Blocked("swap.free_percent is unknown: not offered by this host", guards.HINTS["absent"])


def test_known_facts_pass() -> None:
    assert guards.known("memory.free_bytes")(host()) is None


def test_the_first_guard_that_blocks_is_told() -> None:
    snapshot = host({"host.kubernetes": True, "host.container": True}, fork_ok=False)
    blocked = guards.first(snapshot, *guards.HOST_WIDE)
    assert blocked is not None
    assert "fork" in blocked.why


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.root": False}, "root"),
        ({"host.kubernetes": True}, "Kubernetes"),
        ({"host.container": True}, "container"),
        ({"host.container": DENIED}, "host.container is unknown"),
        ({"host": DENIED}, "host.boot_id is unknown"),
    ],
)
def test_host_wide_changes_are_blocked(changes: dict[str, object], word: str) -> None:
    blocked = guards.first(host(changes), *guards.HOST_WIDE)
    assert blocked is not None
    assert word in blocked.why
    assert blocked.hint


def test_a_plain_host_may_be_changed() -> None:
    assert guards.first(host(), *guards.HOST_WIDE) is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, ""),
        ({"pressure.full.percent": 9.9}, ""),
        ({"pressure.full.percent": 10.0}, "10.0 %"),
        ({"pressure.full.percent": DENIED, "pressure.full.avg10": 40.0}, "40.0 %"),
        ({"pressure": DENIED}, "pressure.full.avg10 is unknown"),
        ({"pressure": NO_PSI}, ""),
        ({"pressure": NO_PSI, "vmstat.allocstalls_per_second": 3.0}, "3.0 /s"),
        ({"pressure": NO_PSI, "vmstat": DENIED}, "vmstat.allocstalls_per_second is unknown"),
    ],
)
def test_pressure_must_be_known_and_low(changes: dict[str, object], word: str) -> None:
    blocked = guards.low_pressure(host(changes))
    assert (blocked is None) == (not word)
    assert blocked is None or word in blocked.why


@pytest.mark.parametrize(
    ("seconds", "changes", "word"),
    [
        (None, {"host.systemd": False}, ""),
        (300.0, {}, ""),
        (300.0, {"host.systemd_version": 236}, ""),
        (0.0, {}, "shorter"),
        (300.0, {"host.systemd": False}, ""),
        (300.0, {"host.systemd": DENIED}, "host.systemd is unknown"),
        (300.0, {"host.systemd_version": 235}, "systemd 236 or later, whose timer takes the change back; this is 235"),
        (300.0, {"host.systemd_version": DENIED}, "systemd_version is unknown"),
    ],
)
def test_a_change_comes_back_by_a_timer_of_systemd_or_where_none_runs_by_a_shell(
    seconds: float | None, changes: dict[str, object], word: str
) -> None:
    blocked = guards.comes_back(seconds)(host(changes))
    assert (blocked is None) == (not word)
    assert blocked is None or word in blocked.why


@pytest.mark.parametrize(
    ("kernel", "later"), [("6.1.0-56-amd64", True), ("5.8.0", True), ("5.7.19", False), ("", False), (DENIED, False)]
)
def test_the_kernel_must_be_known_to_be_late_enough(kernel: object, later: object) -> None:
    assert guards.kernel_at_least(host({"host.kernel": kernel}), 5, 8) is later
