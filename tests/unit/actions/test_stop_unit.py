from __future__ import annotations

from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.stop_unit import StopUnit
from memrunbook.core.action.action import Risk

STOP = StopUnit(unit=API.name)
USE = Use(STOP)


def test_a_running_service_is_stopped_and_may_be_started_again() -> None:
    made = change(STOP, host())
    assert (made.summary, made.risk) == ("Stop search-api.service", Risk.MEDIUM)
    assert made.undo is not None
    assert made.undo.mode == "offer"


def test_whoever_depends_on_it_is_named_among_the_costs() -> None:
    made = change(STOP, with_unit(dragged=f"{API.name} {FAILED.name} gone.service search.target"))
    assert made.costs.endswith("until somebody starts it; stops with it: search-api.service, search.target")
    assert made.acts_on == ("unit:search-api.service", "unit:search.target")
    assert "with it" not in change(STOP, host()).costs


def test_a_service_that_starts_over_and_over_is_stopped() -> None:
    made = change(STOP, with_unit(active=False, state="activating"))
    assert made.target == API.name


def test_a_service_that_does_not_run_is_not_stopped() -> None:
    assert "does not run" in not_needed(StopUnit(unit=FAILED.name), host())
    assert "does not run" in not_needed(StopUnit(unit="nginx.service"), host())


def test_a_protected_or_unwilling_service_is_not_stopped() -> None:
    assert "protected" in blocked(StopUnit(unit="sshd.service"), host())
    assert "RefuseManualStop" in blocked(STOP, with_unit(can_stop=False))


def test_the_script_stops_and_the_undo_starts(machine: Machine) -> None:
    made = change(STOP, host())
    assert made.undo is not None
    machine.shows(MainPID="812", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    machine.shows(ActiveState="inactive")
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    assert machine.do(made.undo.script, *made.undo.args).status == 0
    machine.shows(ActiveState="active")
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    start = "start --no-ask-password -- search-api.service"
    assert machine.calls == ["stop --no-ask-password -- search-api.service", start, start]


def test_what_fails_is_said(machine: Machine) -> None:
    made = change(STOP, host())
    assert made.undo is not None
    machine.fails()
    machine.shows(MainPID="812", InvocationID="4f1c", ActiveState="failed")
    assert machine.do(made.script, *made.args).status == 1
    assert machine.undo(made.undo.script, *made.undo.args).status == 1
