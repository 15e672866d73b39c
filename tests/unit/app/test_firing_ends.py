"""How a firing ends: what stopped it, what it left behind, and what was not judged."""

from __future__ import annotations

import threading

import pytest
from tests.lab import small

from memrunbook.app.firing_ends import ANEW, cut_words, goes_on, not_well, state_of
from memrunbook.app.firing_stop import SCHEDULER, FiringStop
from memrunbook.app.run_arguments import RunResult
from memrunbook.core.plan.diagnosis import diagnose_one
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.runtime.clock import A_PERSON, wish_of


def report(host: str, outcome: Reported, **step: object) -> HostReport:
    steps = (StepFinished(id="act", name="Act", action="drop_caches", **step),) if step else ()  # type: ignore[arg-type]
    return HostReport(host, outcome, steps, why="why" if outcome == "failed" else "")


def test_whose_wish_it_is_that_a_firing_ends() -> None:
    outer = threading.Event()
    stop = FiringStop(outer)
    assert wish_of(stop) == ""
    outer.set()
    assert (wish_of(stop), stop.timed_out) == (SCHEDULER, False)
    late = FiringStop(threading.Event(), 0.0)
    assert wish_of(late) == "the schedule's timeout of 0.0 s was over"
    assert late.timed_out
    outer = threading.Event()
    first = FiringStop(outer, 3600.0)
    outer.set()
    assert wish_of(first) == SCHEDULER
    outer.clear()
    assert wish_of(first) == SCHEDULER, "what ended it first stays the reason"
    outer.set()
    assert wish_of(outer) == A_PERSON


def test_what_was_stopped_is_interrupted_and_says_how_to_go_on() -> None:
    proven = report("a", "resolved", state="done")
    idle, left = report("b", "not_begun"), report("c", "interrupted", state="interrupted", left=True)
    result = RunResult("R1", (proven, idle), stopped=True)
    assert state_of(result) == "interrupted"
    assert cut_words(result, SCHEDULER, "resume") == f"{SCHEDULER}; not done, or not to the end: b; {ANEW}"
    result = RunResult("R1", (proven, idle, left), stopped=True)
    words = cut_words(result, SCHEDULER, "runbook resume R1")
    assert words == f"{SCHEDULER}; not done, or not to the end: b; c; runbook resume R1 goes on"
    assert not goes_on(proven)
    assert goes_on(report("d", "unknown", state="unknown", open=True))
    failed = RunResult("R1", (report("e", "failed"), idle), stopped=True)
    assert "e: failed, why" in cut_words(failed, SCHEDULER, "")


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        (50.0, ""),
        (5.0, "its incident applies, and nothing can be done: act: units: denied"),
        (None, "whether its incident applies could not be judged: "),
    ],
)
def test_what_was_not_judged_or_cannot_be_helped_is_not_well(percent: float | None, words: str) -> None:
    book, units = small.runbook(small.step()), Unavailable("denied", "denied")
    snapshot = small.snapshot(memory=small.Memory(available_percent=percent), units=units)
    found = not_well(diagnose_one(book, snapshot), make_plan(book, snapshot))
    assert found.startswith(words) if words else found == ""


def test_an_incident_that_needs_nothing_done_is_no_failure_of_a_plan() -> None:
    book = small.runbook(small.step())
    snapshot = small.snapshot(memory=small.Memory(available_percent=5.0), units=small.services())
    assert not_well(diagnose_one(book, snapshot), make_plan(book, snapshot)) == ""
