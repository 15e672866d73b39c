"""After a run each value that it changed is proven, taken back, or listed as left in force or open: no fourth case.

The world has real values here: what a run says is held against what is there, whatever the host answered. And an undo
brings back what the run had changed and nobody else has touched since, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from tests.lab import small
from tests.lab.worlds import GONE, NAMES, Choose, mostly

from memrunbook.core.host import Host
from memrunbook.core.reading.fact import Sample
from memrunbook.core.run.event import Event, StepFinished
from memrunbook.core.run.made import made
from memrunbook.core.run.record import decode
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.request import Asking
from memrunbook.core.run.run import run_plan
from memrunbook.core.run.undo import undo_run
from memrunbook.core.run.undo_plan import RunToUndo
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import VerifySpec
from memrunbook.core.units import Duration
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import run_alone
from memrunbook.runtime.ports import Output
from memrunbook.testing import Call, FixedClock, MemoryJournal, ScriptedApprover, ScriptedSession

OLD, OURS, THEIRS = 0, 1, 7
SEEN = 5


class Machine:
    """A host with one value a service; its answers need not tell what really became of it."""

    def __init__(self, choose: Choose) -> None:
        self.choose, self.values, self.touched = choose, dict.fromkeys(NAMES, OLD), set[str]()
        self.clock, self.journal, self.calm = FixedClock(), MemoryJournal(), False

    def sample(self) -> Sample:
        percent = self.choose([5.0, 5.0, 60.0]) if self.touched else 5.0
        # Where a change can be seen it is seen as it is; sometimes it cannot.
        held = (small.Service(name=name, bytes=0 if value == OURS else 1) for name, value in self.values.items())
        units = small.Units(all=tuple(held))
        seen = mostly(self.choose, units, GONE) if self.touched and not self.calm else units
        known = {"memory": small.Memory(available_percent=percent), "units": seen}
        return small.sample({**known, "pressure": small.Pressure(full=small.Full(percent=5.0))})

    def answer(self, call: Call) -> Output:
        unit = next((arg for arg in call.args if arg in NAMES), "")
        if "mrb_look=1" in call.script:
            return self._look(unit)
        if "\nact\n" in call.script:
            return self._act(unit, OURS)
        if "\nback\n" in call.script:
            return self._look(unit) if self.values[unit] == THEIRS else self._act(unit, OLD)
        return Output(0, "")

    def _look(self, unit: str) -> Output:
        if self.values[unit] == THEIRS:
            return Output(4, f"{unit} is {THEIRS}, not {OURS} as we left it: somebody else has changed it")
        return Output(5 if self.values[unit] == OURS else 0, "")

    def _act(self, unit: str, value: int) -> Output:
        happens, output = True, Output(0, "")
        if not self.calm:
            happens = mostly(self.choose, True, False)
            lost, late = Output(None, "", lost=True), Output(None, "", timed_out=True)
            output = self.choose([Output(0, "")] * 3 + [Output(1, "it broke"), lost, late])
        if happens or output.status == 0:  # a script that says 0 has done its work
            self.values[unit] = value
            self.touched.add(unit)
        return output

    def play(self, asking: Asking[None], answers: tuple[Any, ...] = ("yes",)) -> HostReport:
        session = ScriptedSession(self.answer, self.sample)
        interpreter = Interpreter(
            host="lab",
            run_id="20260101T000000Z-abcd",
            actor="me",
            collector=Collector(Host("lab"), session, self.clock, small.FACTS),
            session=session,
            approver=ScriptedApprover(answers, clock=self.clock),
            journal=self.journal,
            clock=self.clock,
        )
        return run_alone(interpreter.run(asking), self.clock)

    def past(self) -> RunToUndo:
        readings = {name: fact.reading for name, fact in small.FACTS.items()}
        return RunToUndo(run="R", made=made([decode(record, readings) for record in self.journal.records]))


def some_runbook(choose: Choose) -> Runbook:
    """Each service is changed by one step at most: a later one would hide what became of the first."""
    steps = [
        small.step(
            f"step-{name}",
            action="knob",
            values={
                "unit": name,
                "kind": choose(["idempotent", "once"]),
                "undo": choose([None, "auto", "offer"]),
                "proven": choose(["", "true", "memory.available_percent > 30.0"]),
            },
            verify=choose([None, VerifySpec("memory.available_percent > 30.0", Duration(10), Duration(0))]),
            on_failure=choose(["stop", "continue"]),
        )
        for name in NAMES[: choose([1, 2, 3])]
    ]
    return small.runbook(*steps, resolved="false")


def what_is_there_is_said(machine: Machine, report: HostReport) -> None:
    for unit in machine.touched:
        [end] = [step for step in report.steps if step.id == f"step-{unit}"]
        changed = machine.values[unit] == OURS
        assert not changed or end.state == "done" or end.left or end.open, end
        assert end.state != "undone" or not changed, end
        assert end.state != "done" or changed, end


def an_undo_takes_back_what_is_ours_alone(machine: Machine, choose: Choose) -> list[Event]:
    for unit in NAMES:
        if mostly(choose, False, True):
            machine.values[unit] = THEIRS
    before, past = dict(machine.values), machine.past()
    undoable = {one.change.target for one in past.made if one.way_back is not None and not one.taken_back}
    machine.calm = True
    report = machine.play(undo_run(past))
    for unit, value in before.items():
        taken = value == OURS and unit in undoable
        assert machine.values[unit] == (OLD if taken else value), (unit, report)
    for step in report.steps:
        assert step.state in ("done", "not_needed", "blocked")
        assert (step.state == "done") == (before[step.id.removeprefix("step-")] == OURS and step.state != "blocked")
    return list(report.steps)


def check(choose: Choose) -> list[Event]:
    machine = Machine(choose)
    answers = tuple(choose([("yes",), ("yes", "yes", "no"), ("yes", "no"), ("yes", "skip")]))
    report = machine.play(run_plan(some_runbook(choose)), answers)
    what_is_there_is_said(machine, report)
    return [*report.steps, *an_undo_takes_back_what_is_ours_alone(machine, choose)]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_world(data: DataObject) -> None:
    check(lambda options: data.draw(st.sampled_from(options)))


def test_five_hundred_worlds_in_which_all_of_it_happens() -> None:
    choosing: list[Callable[[Any], Any]] = [Random(seed).choice for seed in range(500)]
    ends = [event for choose in choosing for event in check(choose) if isinstance(event, StepFinished)]
    states = Counter(end.state for end in ends)
    for state in ("done", "executed", "undone", "failed", "unknown", "not_needed", "blocked"):
        assert states[state] >= SEEN, states
    assert sum(end.left for end in ends) >= SEEN
