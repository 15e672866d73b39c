from __future__ import annotations

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, DENIED, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.freeze_unit import FreezeUnit
from memrunbook.core.action.action import Risk
from memrunbook.core.units import Duration, decode

FREEZE = FreezeUnit(unit=API.name)
USE = Use(FREEZE)


def test_a_frozen_service_thaws_after_five_minutes() -> None:
    made = change(FREEZE, host())
    assert made.summary == "Freeze search-api.service, back after 5 min"
    assert (made.back_after, made.risk) == (300.0, Risk.MEDIUM)
    assert made.undo is not None
    assert made.undo.args == (API.name, "4f1c")


def test_how_long_is_written_as_for() -> None:
    action = msgspec.convert({"unit": API.name, "for": "90s"}, FreezeUnit, dec_hook=decode)
    assert change(action, host()).back_after == 90.0
    assert "shorter than a second" in blocked(FreezeUnit(unit=API.name, for_=Duration(0)), host())


def test_a_frozen_service_is_not_frozen_again() -> None:
    assert "frozen" in not_needed(FREEZE, with_unit(freezer_state="frozen"))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.cgroup_version": 1}, "cgroup v1"),
        ({"host.systemd_version": 245}, "systemd 245"),
        ({"host.systemd_version": DENIED}, "systemd_version is unknown"),
    ],
)
def test_hosts_that_cannot_freeze(changes: dict[str, object], word: str) -> None:
    assert word in blocked(FREEZE, host(changes))


def test_services_that_cannot_be_frozen() -> None:
    assert "watchdog" in blocked(FREEZE, with_unit(watchdog=True))
    assert "CanFreeze" in blocked(FREEZE, with_unit(can_freeze=False))
    assert "not active" in blocked(FreezeUnit(unit=FAILED.name), host())


def test_the_script_freezes_and_the_undo_thaws(machine: Machine) -> None:
    made = change(FREEZE, host())
    assert made.undo is not None
    machine.shows(MainPID="812", InvocationID="4f1c", FreezerState="frozen")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    assert machine.do(made.undo.script, *made.undo.args).status == 0
    thaw = "thaw --no-ask-password -- search-api.service"
    assert machine.calls == ["freeze --no-ask-password -- search-api.service", thaw, thaw]
    machine.fails()
    assert machine.do(made.script, *made.args).status == 1
    assert machine.undo(made.undo.script, *made.undo.args).status == 1


def test_the_undo_leaves_alone_what_runs_and_what_was_started_again(machine: Machine) -> None:
    made = change(FREEZE, host())
    assert made.undo is not None
    machine.shows(InvocationID="4f1c", FreezerState="running")
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    machine.shows(InvocationID="4f1d", FreezerState="frozen")
    assert machine.undo(made.undo.script, *made.undo.args).status == 3
    assert machine.calls == []
