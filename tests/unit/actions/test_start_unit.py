from __future__ import annotations

import msgspec
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, DENIED, FAILED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.start_unit import StartUnit
from memrunbook.core.action.action import Risk

START = StartUnit(unit=FAILED.name)
USE = Use(START)


def test_a_failed_service_is_started_and_must_stay_up() -> None:
    made = change(START, host())
    assert (made.summary, made.risk) == ("Start report.service", Risk.MEDIUM)
    assert made.args == (FAILED.name, "0", "4f1c")
    assert made.verify is not None
    assert made.verify.hold >= 60.0


def test_a_service_that_runs_is_not_started() -> None:
    assert "active" in not_needed(StartUnit(unit=API.name), host())


def test_systemd_is_not_interrupted() -> None:
    starting = host({"units.all": [msgspec.structs.replace(FAILED, failed=False, state="activating")]})
    assert "activating: systemd is at it" in blocked(START, starting)


def test_only_a_known_service_is_started() -> None:
    assert "no active or failed service" in blocked(StartUnit(unit="nginx.service"), host())
    assert "protected" in blocked(StartUnit(unit="ssh.service"), host())


def test_a_service_is_not_started_into_the_next_oom_kill() -> None:
    assert "4.9 % of memory" in blocked(START, host({"memory.available_percent": 4.9}))
    assert "unknown" in blocked(START, host({"memory": DENIED}))


def test_the_script_clears_the_failure_and_starts(machine: Machine) -> None:
    made = change(START, host())
    machine.shows(MainPID="0", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == [
        "reset-failed --no-ask-password -- report.service",
        "start --no-ask-password -- report.service",
    ]
    machine.fails()
    assert machine.do(made.script, *made.args).status == 1


def test_the_script_leaves_a_service_alone_that_came_back(machine: Machine) -> None:
    made = change(START, host())
    machine.shows(MainPID="77", InvocationID="4f1d")
    assert machine.do(made.script, *made.args).status == 3
    assert machine.calls == []
