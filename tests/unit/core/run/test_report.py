"""Events fold into a report."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec import Struct
from tests.lab.small import Memory, runbook, snapshot, step

from memrunbook.core.plan.diagnosis import diagnose_one
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.run.event import Diagnosed, Event, RunFinished, StepFinished
from memrunbook.core.run.flight import OpenStep
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


OPEN = OpenStep(
    run="R1", runbook="lab", host="db7", step="act/web", action="adjust", target="web", summary="Adjust web",
    started="2026-11-29T03:12:07.000Z", record="h1",
)  # fmt: skip


def test_the_step_in_flight_is_a_step_of_its_own_and_the_verdict() -> None:
    report = fold("db7", [BEGUN], left=[OPEN])
    assert (report.outcome, report.open) == ("unknown", True)
    assert report.why == "the run was cut off: act/web: Adjust web: started 03:12:07 UTC, outcome unknown"
    assert report.hint == "runbook resume R1 looks at it and goes on"
    [step] = report.steps
    assert (step.id, step.item, step.state, step.open) == ("act", "web", "unknown", True)
    assert (step.why, step.summary) == ("started 03:12:07 UTC, outcome unknown", "Adjust web")


def test_what_was_not_reached_is_listed() -> None:
    report = fold("db7", [BEGUN, ONE], left=[])
    assert [(step.id, step.state, step.why) for step in report.steps] == [
        ("one", "done", ""), ("act", "skipped", "not reached: the run was cut off"),
    ]  # fmt: skip
    assert (report.outcome, report.open) == ("interrupted", False)


def test_what_is_under_way_is_said_of_a_run_that_goes_on() -> None:
    report = fold("db7", [BEGUN], running=True, under_way=[OPEN])
    assert (report.outcome, report.steps) == ("running", ())
    assert report.why == "under way: act/web: Adjust web, since 03:12:07 UTC"


def test_an_open_step_that_a_later_run_has_answered_is_open_no_more() -> None:
    two = msgspec.structs.replace(OPEN, step="two")
    assert fold("db7", [TWO, END], left=[two]).open
    report = fold("db7", [TWO, msgspec.structs.replace(TWO, item="x", open=False), END], left=[OPEN])
    assert not report.open
    assert report.steps[0].why.endswith("a later run has found out how it ended")


def test_the_signals_before_are_those_of_the_first_part_of_a_run_that_went_on() -> None:
    again = msgspec.structs.replace(BEGUN, signals={"memory.available_percent": 40.0})
    report = fold("db7", [BEGUN, again, END])
    assert (report.before, report.begun) == ({"memory.available_percent": 5.0}, again)
