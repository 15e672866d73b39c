from __future__ import annotations

import msgspec
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.thaw_unit import ThawUnit
from memrunbook.core.action.action import Risk

THAW = ThawUnit(unit=API.name)
FROZEN = msgspec.structs.replace(API, freezer_state="frozen")
USE = Use(THAW, {"units.all": [FROZEN, FAILED]})


def test_a_frozen_service_is_thawed_and_whoever_thaws_it_knows_what_comes_back() -> None:
    made = change(THAW, with_unit(freezer_state="frozen"))
    assert (made.summary, made.risk, made.args) == ("Thaw search-api.service", Risk.MEDIUM, (API.name, "812", "4f1c"))
    assert "the incident comes back" in made.costs
    assert made.undo is None


def test_only_what_is_frozen_is_thawed() -> None:
    assert not_needed(THAW, host()) == "search-api.service is not frozen"
    assert "not active" in blocked(ThawUnit(unit=FAILED.name), host())


def test_the_script_thaws_that_very_run_of_the_service(machine: Machine) -> None:
    made = change(THAW, with_unit(freezer_state="frozen"))
    machine.shows(MainPID="812", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == ["thaw --no-ask-password -- search-api.service"]
    machine.fails()
    assert machine.do(made.script, *made.args).status == 1
    machine.shows(MainPID="99", InvocationID="4f1d")
    assert machine.do(made.script, *made.args).status == 3
