"""Cut off at any record and gone on with, in any world: no once-only effect happens twice, and the end is true."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.lab import small
from tests.lab.worlds import some_readings, some_runbook

from memrunbook.core.host import Host
from memrunbook.core.run.cut_off import is_unproven
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.flight import CUT_OFF, flight, still_open
from memrunbook.core.run.record import Envelope, Recorded, plain
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.resume import Behind
from memrunbook.core.run.run import run_plan
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import run_alone
from memrunbook.runtime.lock import GIVE, TAKE
from memrunbook.runtime.marker import LOOK
from memrunbook.runtime.ports import Output
from memrunbook.testing import Call, FixedClock, MemoryJournal, ScriptedApprover, ScriptedSession

SEEDS = st.integers(0, 10**6)
WELL = Output(0, "")
ENDS = [WELL, WELL, WELL, Output(1, "no"), Output(None, "", lost=True), Output(None, "", timed_out=True)]


class KilledError(BaseException):
    """The engine is gone: nothing catches this."""


class Mortal(MemoryJournal):
    """A journal whose process dies at the append number `dies_at` (from 0): on the disk by then (`late`), or not."""

    def __init__(self, dies_at: int | None, *, late: bool) -> None:
        super().__init__()
        self.dies_at, self.late, self.seen = dies_at, late, 0

    def append(self, envelope: Envelope) -> str:
        dies = self.seen == self.dies_at
        self.seen += 1
        if dies and not self.late:
            raise KilledError
        digest = super().append(envelope)
        self.records[-1] |= {"hash": digest + str(self.seen), "run": "R", "host": "lab", "time": "2026-11-29T03:12:07Z"}
        if dies:
            raise KilledError
        return digest + str(self.seen)


class Machine:
    """A host with a memory: what was begun and ended is marked on it; a reboot forgets that."""

    def __init__(self, seed: int) -> None:
        self.choose = Random(seed).choice
        self.runbook = some_runbook(self.choose)
        self.clock = FixedClock()
        self.marks: dict[str, str] = {}
        self.happened: Counter[tuple[str, ...]] = Counter()
        self.acted = False
        self.rebooted = False

    def sample(self) -> Any:
        readings = some_readings(self.choose, 60.0 if self.acted else 5.0)
        return small.sample({**readings, "host": small.Memory(), "vmstat": small.Memory()})

    def script(self, call: Call) -> Output:
        if call.script in (TAKE, GIVE):
            return Output(0, "")
        if call.script == LOOK:
            return Output(0, "unseen" if self.rebooted else self.marks.get(call.args[1], "absent"))
        output: Output = self.choose(ENDS)
        if call.args[0] == "R":  # marked: it may change something
            _, record, witness, *args = call.args
            step = witness.partition("step=")[2].partition(" ")[0]
            self.acted = True
            self.marks[record] = "begun" if output.status is None else f"ended {output.status}"
            self.happened[(step, "undo" if "back\n}" in call.script else "act", *args[:1])] += 1
        return output

    def interpreter(self, journal: MemoryJournal, **more: Any) -> Interpreter:
        session = ScriptedSession(self.script, self.sample)
        return Interpreter(
            host="lab",
            run_id="R",
            actor="somebody",
            collector=Collector(Host("lab"), session, self.clock, small.FACTS),
            session=session,
            approver=ScriptedApprover(["yes", "yes", "yes", "skip", "yes"], clock=self.clock, again=False),
            journal=journal,
            clock=self.clock,
            **more,
        )


def run(machine: Machine, journal: MemoryJournal, behind: Behind | None = None, events: Any = ()) -> HostReport | None:
    """One life of the engine; None where it was killed."""
    interpreter = machine.interpreter(journal, events=list(events))
    try:
        return run_alone(interpreter.run(run_plan(machine.runbook, behind=behind)), machine.clock)
    except KilledError:
        return None


def go_on(machine: Machine, before: Mortal, journal: Mortal) -> HostReport | None:
    """The next life of the engine, with what the first one left."""
    from memrunbook.app.earlier import earlier

    journal.records = before.records
    part = earlier("R", journal.records, {name: fact.reading for name, fact in small.FACTS.items()})
    if part.behind is not None and part.behind.ended:
        return None
    return run(machine, journal, part.behind, part.events)


def is_true(machine: Machine, report: HostReport, journal: Mortal) -> None:
    once = {step.spec.id for step in machine.runbook.steps if step.values["kind"] == "once"}
    for (name, kind, *_), count in machine.happened.items():
        if name.partition("/")[0] in once and kind == "act":
            assert count == 1, (name, machine.happened)
    labels = Counter((step.id, step.item) for step in report.steps)
    assert all(count == 1 for count in labels.values()), labels
    left = still_open([flight(journal.records)])
    assert {one.step for one in left} == {label(step) for step in report.steps if stays_open(step, report)}
    for step in report.steps:
        did = [n for (name, kind, *_), n in machine.happened.items() if (name, kind) == (label(step), "act")]
        if step.state == "done" and machine.runbook.steps[int(step.id[-1])].values["kind"] == "once":
            assert sum(did) == 1
        if step.state in ("refused", "blocked") and step.id in once:
            assert did == []
    if any(step.open for step in report.steps):
        assert report.outcome == "unknown"
    assert report.outcome not in ("running", None)


def stays_open(step: StepFinished, report: HostReport) -> bool:
    """True where a step that has its record is open all the same: nobody knows how it ended, or whether it helped.

    A run that came to its own end knows that it is not due any more.
    """
    return step.open or (report.outcome in CUT_OFF and is_unproven(plain(Recorded(step))["record"]))


def label(step: StepFinished) -> str:
    return f"{step.id}/{step.item}" if step.item else step.id


@settings(max_examples=60, deadline=None)
@example(
    seed=225244, dies_at=0, late=False, reboots=False, again=23
)  # the item of the open step is gone when the run goes on
@given(SEEDS, st.integers(0, 60), st.booleans(), st.booleans(), st.integers(0, 30))
def test_cut_off_anywhere_and_gone_on_with(seed: int, dies_at: int, late: bool, reboots: bool, again: int) -> None:  # noqa: FBT001
    machine = Machine(seed)
    journal = Mortal(dies_at, late=late)
    report = run(machine, journal)
    lives = [Mortal(again, late=not late), Mortal(None, late=False)]
    while report is None and lives:
        machine.rebooted = machine.rebooted or reboots
        after = lives.pop(0)
        report = go_on(machine, journal, after)
        journal = after
        if report is None and not lives:
            return  # it had come to its end on this host, but for the lock
    assert report is not None
    is_true(machine, report, journal)


@pytest.mark.parametrize(("late", "reboots"), [(True, False), (False, False), (False, True)])
def test_a_dozen_worlds_cut_off_at_every_record(*, late: bool, reboots: bool) -> None:
    cut, opened = 0, 0
    for seed in range(12):
        dies_at = 0
        while True:
            machine = Machine(seed)
            journal = Mortal(dies_at, late=late)
            if run(machine, journal) is not None:
                break
            machine.rebooted = reboots
            after = Mortal(None, late=False)
            report = go_on(machine, journal, after)
            if report is not None:
                cut += 1
                opened += report.open
                is_true(machine, report, after)
            dies_at += 1
    assert cut > 100
    assert opened >= 3
