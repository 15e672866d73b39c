from __future__ import annotations

from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import API, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.restart_unit import RestartUnit
from memrunbook.core.action.action import Risk

RESTART = RestartUnit(unit=API.name)
USE = Use(RESTART)


def test_an_active_service_is_restarted_and_watched_for_a_minute() -> None:
    made = change(RESTART, host())
    assert (made.summary, made.target, made.risk) == ("Restart search-api.service", API.name, Risk.MEDIUM)
    assert made.args == (API.name, "812", "4f1c")
    assert made.timeout == 190.0
    assert made.verify is not None
    assert made.verify.hold >= 60.0
    assert made.undo is None
    assert "connections" in made.costs


def test_a_service_that_is_down_is_not_restarted() -> None:
    assert "failed, not active" in blocked(RestartUnit(unit=FAILED.name), host())


def test_a_service_that_refuses_is_not_restarted() -> None:
    assert "RefuseManualStop" in blocked(RESTART, with_unit(refuse_manual_stop=True))
    assert "unit file" in blocked(RESTART, with_unit(need_daemon_reload=True))


def test_memory_and_growth_are_no_part_of_the_digest() -> None:
    assert change(RESTART, with_unit(memory_bytes=1, age_seconds=5.0)).digest == change(RESTART, host()).digest
    assert change(RESTART, with_unit(invocation_id="aaaa")).digest != change(RESTART, host()).digest


def test_the_script_restarts_that_run_and_no_other(machine: Machine) -> None:
    made = change(RESTART, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == ["restart --no-ask-password -- search-api.service"]
    machine.shows(MainPID="900", InvocationID="4f1d")
    assert machine.do(made.script, *made.args).status == 3
    assert len(machine.calls) == 1


def test_a_failed_restart_shows_the_end_of_the_journal(machine: Machine) -> None:
    made = change(RESTART, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    machine.fails()
    result = machine.do(made.script, *made.args)
    assert (result.status, result.text) == (1, "Job failed.\njournal of --unit=search-api.service\n")
