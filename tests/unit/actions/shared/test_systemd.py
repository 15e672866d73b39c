from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.actions.hosts import API, DENIED, FAILED, host, with_unit

from memrunbook.actions.shared import systemd
from memrunbook.core.action.action import Blocked, Risk
from memrunbook.core.action.policy import UnitPolicy


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.kubernetes": True}, "Kubernetes"),
        ({"host.systemd": False}, "systemd does not run"),
        ({"host.root": False}, "root"),
        ({"units": DENIED}, "units.all is unknown"),
        ({"host.boot_id": DENIED}, "host.boot_id is unknown"),
    ],
)
def test_hosts_whose_services_are_left_alone(changes: dict[str, object], word: str) -> None:
    found = systemd.find(host(changes), API.name)
    assert isinstance(found, Blocked)
    assert word in found.why


def test_without_fork_systemctl_cannot_run() -> None:
    assert isinstance(systemd.find(host(fork_ok=False), API.name), Blocked)


@pytest.mark.parametrize("name", ["ssh.service", "systemd-journald.service", "user@1000.service", "init.scope"])
def test_protected_units_are_never_found(name: str) -> None:
    unit = msgspec.structs.replace(API, name=name)
    found = systemd.find(host({"units.all": [unit]}), name)
    assert isinstance(found, Blocked)
    assert "protected" in found.why


@pytest.mark.parametrize("changes", [{"cluster_managed": True}, {"policy": UnitPolicy(kind="cluster")}])
def test_a_cluster_manager_is_not_gone_behind(changes: dict[str, Any]) -> None:
    found = systemd.find(with_unit(**changes), API.name)
    assert isinstance(found, Blocked)
    assert "cluster" in found.why


def test_a_service_that_neither_runs_nor_failed_is_not_found() -> None:
    assert systemd.find(host(), "nginx.service") is None
    assert systemd.running(host(), "nginx.service") == systemd.not_found("nginx.service")
    assert "whole name" in systemd.not_found("nginx").hint


def test_running_wants_an_active_service() -> None:
    assert systemd.running(host(), API.name) == API
    down = systemd.running(host(), FAILED.name)
    assert isinstance(down, Blocked)
    assert "start_unit" in down.hint
    assert isinstance(systemd.running(host({"host.kubernetes": True}), API.name), Blocked)


def test_a_service_of_which_systemctl_says_nothing_is_left_alone() -> None:
    found = systemd.running(with_unit(state="unknown"), API.name)
    assert isinstance(found, Blocked)
    assert found.why == f"the systemd details of {API.name} could not be read"


@pytest.mark.parametrize(
    ("changes", "stop", "start"),
    [
        ({}, True, True),
        ({"refuse_manual_stop": True}, False, True),
        ({"can_stop": False}, False, True),
        ({"refuse_manual_start": True}, True, False),
        ({"can_start": False}, True, False),
        ({"need_daemon_reload": True}, True, False),
    ],
)
def test_what_a_unit_refuses(changes: dict[str, object], stop: object, start: object) -> None:
    unit = msgspec.structs.replace(API, **changes)
    assert (systemd.stoppable(unit) is None) is stop
    assert (systemd.startable(unit) is None) is start


def test_databases_and_runtimes_are_of_high_risk() -> None:
    assert systemd.risk(API) is Risk.MEDIUM
    assert systemd.risk(msgspec.structs.replace(API, name="postgresql.service")) is Risk.HIGH
    assert systemd.risk(msgspec.structs.replace(API, policy=UnitPolicy(kind="database"))) is Risk.HIGH


def test_the_identity_is_one_run_in_one_boot() -> None:
    snapshot = host()
    identity = systemd.identity(snapshot, API)
    assert identity == "search-api.service main process 812 invocation 4f1c boot b001"
    assert systemd.identity(snapshot, msgspec.structs.replace(API, main_pid=813)) != identity
    assert systemd.run_arguments(msgspec.structs.replace(API, main_pid=None)) == (API.name, "0", "4f1c")


@pytest.mark.parametrize(("seconds", "timeout"), [(20.0, 30.0), (None, 190.0), (86400.0, 900.0)])
def test_systemd_gets_the_time_that_the_unit_asks_for(seconds: float | None, timeout: float) -> None:
    assert systemd.job_timeout(msgspec.structs.replace(API, timeout_seconds=seconds)) == timeout


def test_a_restart_by_systemd_is_no_staying_up() -> None:
    assert "u.restarts == 0" in systemd.stays_up(API)
    assert "restarts" not in systemd.stays_up(msgspec.structs.replace(API, restarts=None))


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({"host.own_unit": API.name}, True),
        ({"host.own_pids": [4301, 812, 1]}, True),
        ({"host.own_unit": "", "host.own_pids": DENIED}, False),
        ({"host.own_unit": DENIED}, False),
    ],
)
def test_the_unit_that_our_own_session_runs_in_is_left_alone(changes: dict[str, object], *, ours: bool) -> None:
    found = systemd.find(host(changes), API.name)
    assert isinstance(found, Blocked) is ours
    assert not isinstance(found, Blocked) or "our own session" in found.why
