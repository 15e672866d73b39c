"""Events fold into a report."""

from __future__ import annotations

from typing import cast

from msgspec import Struct
from tests.lab.small import Memory, runbook, snapshot, step

from memrunbook.core.plan.diagnosis import diagnose_one
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.run.event import Diagnosed, Event, RunFinished, StepFinished
from memrunbook.core.run.report import fold

NOW = snapshot(memory=Memory(available_percent=5.0))
BOOK = runbook(step())
BEGUN = Diagnosed(diagnose_one(BOOK, NOW), make_plan(BOOK, NOW), {"memory.available_percent": 5.0})
ONE = StepFinished(id="one", name="One", action="adjust", state="done")
TWO = StepFinished(id="two", name="Two", action="adjust", state="unknown", open=True)
END = RunFinished("resolved", "resolved after step one", {"memory.available_percent": 50.0}, "a hint")


def test_a_whole_run() -> None:
    report = fold("db7", [BEGUN, ONE, END])
    assert (report.host, report.outcome, report.steps) == ("db7", "resolved", (ONE,))
    assert (report.before, report.after) == ({"memory.available_percent": 5.0}, {"memory.available_percent": 50.0})
    assert (report.why, report.hint, report.begun) == ("resolved after step one", "a hint", BEGUN)
    assert not report.open


def test_steps_keep_their_order_and_an_open_one_is_seen() -> None:
    report = fold("db7", [BEGUN, TWO, ONE, END])
    assert report.steps == (TWO, ONE)
    assert report.open


def test_a_run_without_an_end_was_interrupted() -> None:
    report = fold("db7", [ONE])
    assert (report.outcome, report.why) == ("interrupted", "the run has no end in the journal")
    assert report.hint == "runbook audit verify shows whether the journal is intact"
    assert (report.before, report.after, report.begun) == ({}, {}, None)


def test_a_run_that_goes_on_was_not_interrupted() -> None:
    report = fold("db7", [BEGUN, ONE], running=True)
    assert (report.outcome, report.steps, report.hint) == ("running", (ONE,), "")
    assert fold("db7", [BEGUN, ONE, END], running=True).outcome == END.outcome, "this host has come to its end"


def test_a_host_that_was_never_read() -> None:
    report = fold("db7", [RunFinished("unreachable", "no banner")])
    assert (report.outcome, report.why, report.hint, report.steps) == ("unreachable", "no banner", "", ())


def test_an_event_without_a_place_of_its_own_is_kept_and_says_for_itself_what_happened() -> None:
    class LimitReached(Struct, frozen=True, tag="limit-reached"):
        told: str = "the limit is reached"

    other = cast("Event", LimitReached())
    report = fold("db7", [BEGUN, other, END])
    assert report.others == (other,)
    assert (report.outcome, report.steps) == ("resolved", ())
