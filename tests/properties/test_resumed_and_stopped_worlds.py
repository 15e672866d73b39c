"""Cut off with a step open, gone on with and stopped at any question: nobody forgets what was carried out."""

from __future__ import annotations

from tests.lab import small
from tests.properties.test_killed_worlds import Machine, Mortal, label, run
from tests.properties.test_stopped_worlds import StopsAt, is_true_meanwhile, lived

from memrunbook.app.earlier import earlier
from memrunbook.core.run.event import LookedAt
from memrunbook.core.run.flight import flight, still_open
from memrunbook.core.run.report import HostReport

ENDED = {"done", "executed", "failed", "undone"}
"""What is told of a once-only step that has come to its end."""


def cut_off(seed: int, dies_at: int) -> tuple[Machine, Mortal, bool]:
    """A run whose engine dies at this record; whether it did."""
    machine, journal = Machine(seed), Mortal(dies_at, late=True)
    return machine, journal, run(machine, journal) is None


def stopped(machine: Machine, before: Mortal, at: int) -> tuple[HostReport, Mortal, bool]:
    """Goes on with it until a person stops it at this question; whether that came to be."""
    after, stop = Mortal(None, late=False), StopsAt(at)
    after.records, after.seen = list(before.records), before.seen
    part = earlier("R", after.records, {name: fact.reading for name, fact in small.FACTS.items()})
    assert part.behind is not None
    return lived(machine, after, stop, part.behind, part.events), after, stop.stopped


def nobody_forgets(machine: Machine, report: HostReport, journal: Mortal) -> None:
    """What happened, and what a look found done or could not tell, has an end or is open for whoever comes next."""
    left = {one.step for one in still_open([flight(journal.records)])}
    states = {label(step): step.state for step in report.steps}
    once = {step.spec.id for step in machine.runbook.steps if step.values["kind"] == "once"}
    for (name, kind, *_), count in machine.happened.items():
        if kind == "act" and count and name.partition("/")[0] in once:
            assert name in left or states.get(name) in ENDED, (name, states)
    looks = {event.step: event.found for event in report.others if isinstance(event, LookedAt)}
    for name, found in looks.items():
        if found in ("done", "unknown") and name.partition("/")[0] in once:
            assert name in left or states.get(name) in ENDED, (name, found, states)


def test_worlds_cut_off_with_a_step_open_and_stopped_at_every_question() -> None:
    cut = 0
    for seed in range(4):
        dies_at, alive = 0, False
        while not alive:
            machine, journal, died = cut_off(seed, dies_at)
            at = 0 if flight(journal.records).open else None
            while died and at is not None:
                machine, journal, _ = cut_off(seed, dies_at)  # the same world once more
                report, after, reached = stopped(machine, journal, at)
                is_true_meanwhile(machine, report, after)
                nobody_forgets(machine, report, after)
                cut, at = cut + 1, at + 1 if reached else None
            dies_at, alive = dies_at + 1, not died
    assert cut > 100
