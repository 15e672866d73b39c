"""Stopped politely at any question and gone on with, in any world: no once-only effect happens twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lab import small
from tests.properties.test_killed_worlds import SEEDS, Machine, Mortal, label, stays_open

from memrunbook.app.earlier import earlier
from memrunbook.core.run.flight import flight, still_open
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.resume import Behind
from memrunbook.core.run.run import run_plan
from memrunbook.runtime.clock import A_PERSON
from memrunbook.runtime.life import run_alone


class StopsAt:
    """Says that a person asked to stop, from the question number `at` on (from 0; None: nobody does)."""

    def __init__(self, at: int | None) -> None:
        self.at, self.seen, self.stopped = at, 0, False

    def __call__(self) -> str:
        self.stopped = self.at is not None and self.seen >= self.at
        self.seen += 1
        return A_PERSON if self.stopped else ""


def lived(machine: Machine, journal: Mortal, stop: Callable[[], str], behind: Behind | None, events: Any) -> HostReport:
    begun = behind is not None and behind.acted
    interpreter = machine.interpreter(journal, events=list(events), stop=stop, begun=begun)
    return run_alone(interpreter.run(run_plan(machine.runbook, behind=behind)), machine.clock)


def stopped_and_gone_on_with(seed: int, *stops: int) -> tuple[Machine, Mortal, HostReport, int]:
    """A run that is stopped at these questions, each time gone on with, and at last brought to its end."""
    machine, journal, cut = Machine(seed), Mortal(None, late=False), 0
    report = lived(machine, journal, first := StopsAt(stops[0]), None, ())
    cut += first.stopped
    for at in (*stops[1:], None):
        after = Mortal(None, late=False)
        after.records, after.seen = journal.records, journal.seen
        part = earlier("R", after.records, {name: fact.reading for name, fact in small.FACTS.items()})
        assert part.behind is not None
        if part.behind.ended:
            break
        is_true_meanwhile(machine, report, after)
        report = lived(machine, after, again := StopsAt(at), part.behind, part.events)
        cut += again.stopped
        journal = after
    return machine, journal, report, cut


def once_each(machine: Machine) -> None:
    once = {step.spec.id for step in machine.runbook.steps if step.values["kind"] == "once"}
    for (name, kind, *_), count in machine.happened.items():
        if name.partition("/")[0] in once and kind == "act":
            assert count == 1, (name, machine.happened)


def is_true_meanwhile(machine: Machine, report: HostReport, journal: Mortal) -> None:
    """What was carried out and not proven is open for whoever comes next, and nothing else is."""
    once_each(machine)
    left = {one.step for one in still_open([flight(journal.records)])}
    told = {label(step) for step in report.steps if stays_open(step, report)}
    assert left == told
    if report.outcome == "interrupted":
        assert not report.open


def is_true_in_the_end(machine: Machine, report: HostReport, journal: Mortal) -> None:
    is_true_meanwhile(machine, report, journal)
    labels = Counter((step.id, step.item) for step in report.steps)
    assert all(count == 1 for count in labels.values()), labels
    for step in report.steps:
        did = sum(n for (name, kind, *_), n in machine.happened.items() if (name, kind) == (label(step), "act"))
        if step.state == "done" and machine.runbook.steps[int(step.id[-1])].values["kind"] == "once":
            assert did == 1
    assert report.outcome not in ("running", "interrupted")


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 40), st.integers(0, 30))
def test_stopped_anywhere_twice_and_gone_on_with(seed: int, at: int, again: int) -> None:
    machine, journal, report, _ = stopped_and_gone_on_with(seed, at, again)
    is_true_in_the_end(machine, report, journal)


def test_twenty_worlds_stopped_at_every_question() -> None:
    cut = 0
    for seed in range(20):
        at = 0
        while True:
            machine, journal, report, stopped = stopped_and_gone_on_with(seed, at)
            if not stopped:
                break
            is_true_in_the_end(machine, report, journal)
            cut, at = cut + 1, at + 1
    assert cut > 100
