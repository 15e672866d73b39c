"""What a firing that only plans keeps of a host."""

from __future__ import annotations

import datetime as dt

import pytest

from memrunbook.app.held_up import FrozenNow, HeldUp
from memrunbook.app.shadowing import seen_there, shadows_of
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.errors import HostError, Interrupted
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.judged import Planned
from memrunbook.core.plan.plan import DecisionWord, Plan, PlannedStep
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import State, Verdict
from memrunbook.core.schedule import Moment, Schedule
from memrunbook.documents.schedules import ScheduledRun

NOT_HELD = HeldUp((), (), "")
AT = Instant(1.8e9, 0.0)
MOMENT = Moment("leaks", 1.8e9, 1.8e9)


def step(risk: Risk, decision: DecisionWord = "change", *, gate: bool = True, later: bool = False) -> PlannedStep:
    change = Change(action="restart_unit", summary="Restart", target="api.service", script=":", risk=risk,
                    repeat=Repeat.ONCE)  # fmt: skip
    made = change if decision == "change" else None
    return PlannedStep(id="restart", name="Restart", action="restart_unit", decision=decision, change=made, gate=gate,
                       why="" if made else "it is protected", provisional=later)  # fmt: skip


def planned(incident: State, *steps: PlannedStep) -> Planned:
    identity = HostIdentity(machine_id="m", boot_id="b")
    plan = Plan(runbook="memory-leak", runbook_digest="d", host="web", identity=identity, taken_at=AT, expires_at=0.0,
                steps=steps)  # fmt: skip
    diagnosis = RunbookDiagnosis("memory-leak", "Leaks", (), Verdict(incident, why="not read"), "warning")
    return Planned(Reached(Host("web"), Snapshot("web", identity, AT, {})), diagnosis, plan)


@pytest.mark.parametrize(("incident", "steps", "found", "why"), [
    ("holds", [step(Risk.MEDIUM)], "acts", ""),
    ("holds", [step(Risk.NONE, gate=False), step(Risk.MEDIUM, "blocked")], "stuck", "it is protected"),
    ("holds", [], "stuck", ""),
    ("fails", [], "over", ""),
    ("unknown", [], "unknown", "not read"),
])  # fmt: skip
def test_what_was_found(incident: State, steps: list[PlannedStep], found: str, why: str) -> None:
    seen = seen_there(planned(incident, *steps), NOT_HELD)
    assert seen is not None
    assert (seen.found, seen.why, seen.at, seen.machine, seen.boot, seen.kills) == (found, why, 1.8e9, "m", "b", None)


@pytest.mark.parametrize("held", [
    HeldUp((), (), "changes are off: a move"), HeldUp((), (FrozenNow("x", 0.0, "changes are off: a move", ""),), ""),
])  # fmt: skip
def test_what_holds_all_changes_back_held_this_one_back(held: HeldUp) -> None:
    seen = seen_there(planned("holds", step(Risk.MEDIUM)), held)
    assert seen is not None
    assert (seen.found, seen.why) == ("stuck", "changes are off: a move")


def test_a_host_that_was_not_reached_was_looked_at_in_vain_and_one_that_was_not_asked_not_at_all() -> None:
    gone = seen_there(Planned(Reached(Host("web"), error=HostError("password=s3cret"))), NOT_HELD)
    assert gone is not None
    assert gone.found == "unreached"
    assert "s3cret" not in gone.why
    assert seen_there(Planned(Reached(Host("web"), error=Interrupted())), NOT_HELD) is None


@pytest.mark.parametrize(("most", "allow", "asks"), [
    (Risk.LOW, (), [False, True]), (Risk.MEDIUM, (), [False, False]), (Risk.NONE, (), [True, True]),
    (Risk.NONE, ("restart_unit:api.service",), [False, False]),
])  # fmt: skip
def test_what_the_schedule_may_not_do_asks(most: Risk, allow: tuple[str, ...], asks: list[bool]) -> None:
    job = ScheduledRun(schedule=Schedule(name="leaks", zone=dt.UTC, every=60.0), zone="UTC", where="s:1",
                       runbook="memory-leak", hosts=("web",), max_risk=most, allow=allow)  # fmt: skip
    plan = planned("holds", step(Risk.NONE, gate=False), step(Risk.LOW), step(Risk.MEDIUM, later=True)).plan
    assert plan is not None
    found = list(shadows_of(job, MOMENT, plan))
    assert [one.asks for one in found] == asks
    assert [(one.risk, one.provisional, one.host, one.firing) for one in found] == [
        (1, False, "web", MOMENT.id), (2, True, "web", MOMENT.id),
    ]  # fmt: skip
