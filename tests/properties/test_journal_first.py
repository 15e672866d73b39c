"""Nothing is done that is not on disk before: the same worlds as for the run, now through the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lab import small
from tests.lab.worlds import some_readings, some_runbook

from memrunbook.core.errors import Interrupted, JournalError, RunbookError, SessionLost
from memrunbook.core.host import Host
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.run import run_plan
from memrunbook.runtime.clock import A_PERSON
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import run_alone
from memrunbook.runtime.lock import GIVE, TAKE
from memrunbook.runtime.ports import Output
from memrunbook.testing import Call, FixedClock, MemoryJournal, ScriptedApprover, ScriptedSession

ENDS = (
    Output(0, "did it"),
    Output(0, ""),
    Output(1, "no"),
    Output(None, "", timed_out=True),
    Output(None, "", lost=True),
)
SEEDS = st.integers(0, 10**6)


class Lab:
    """An interpreter with a double at each port; `at_script` sees every script that reaches the host."""

    def __init__(self, seed: int, journal: MemoryJournal, stop: Callable[[], str] = str) -> None:
        self.choose = Random(seed).choice
        self.runbook = some_runbook(self.choose)
        self.journal, self.clock = journal, FixedClock()
        self.error: RunbookError | None = None
        self.acted = False
        self.session = ScriptedSession(self.script, self.sample)
        self.interpreter = Interpreter(
            host="lab",
            run_id="R",
            actor="somebody",
            collector=Collector(Host("lab"), self.session, self.clock, small.FACTS),
            session=self.session,
            approver=ScriptedApprover(["yes", "yes", "yes", "skip", "yes"], clock=self.clock),
            journal=journal,
            clock=self.clock,
            stop=stop,
        )

    def sample(self) -> Any:
        readings = some_readings(self.choose, 60.0 if self.acted else 5.0)
        return small.sample({**readings, "host": small.Memory(), "vmstat": small.Memory()})

    def script(self, call: Call) -> Output:
        last = self.journal.records[-1]
        assert last["event"] == "asked"
        request = last["request"]
        if call.script in (TAKE, GIVE):
            assert request["type"] == ("Lock" if call.script == TAKE else "Unlock")
            return Output(0, "")
        undo = request["change"]["undo"] if request["undo"] else request["change"]
        assert request["type"] == "Execute"
        assert undo["script"] in call.script
        assert call.args[-len(undo["args"]) :] == tuple(undo["args"])
        self.acted = True
        if self.error is not None:
            raise self.error
        output: Output = self.choose(ENDS)
        return output

    def run(self) -> HostReport:
        return run_alone(self.interpreter.run(run_plan(self.runbook)), self.clock)

    @property
    def commands(self) -> list[Call]:
        return [call for call in self.session.calls if call.script not in (TAKE, GIVE)]


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_every_script_is_on_disk_before_the_host_sees_it_and_its_answer_right_after(seed: int) -> None:
    lab = Lab(seed, MemoryJournal())
    report = lab.run()
    asked = [n for n, record in enumerate(lab.journal.records) if record["event"] == "asked"]
    assert all(lab.journal.records[n + 1]["event"] in ("answered", "error") for n in asked)
    assert len(list(lab.journal.asked("Execute"))) == len(lab.commands)
    recorded = [record["record"]["type"] for record in lab.journal.records if record["event"] == "recorded"]
    assert recorded[-1] == "run-finished"
    assert recorded.count("step-finished") == len(report.steps)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(0, 40))
def test_without_a_journal_nothing_is_done(seed: int, breaks_at: int) -> None:
    intact = Lab(seed, MemoryJournal())
    intact.run()
    lab = Lab(seed, MemoryJournal(breaks_at))
    if len(intact.journal.records) <= breaks_at:
        lab.run()
        assert lab.session.calls == intact.session.calls
        return
    with pytest.raises(JournalError):
        lab.run()
    on_disk = [r["request"]["type"] for r in lab.journal.records if r["event"] == "asked"]
    assert len(lab.session.calls) == sum(kind in ("Execute", "Lock", "Unlock") for kind in on_disk)
    assert lab.session.calls == intact.session.calls[: len(lab.session.calls)]


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from([SessionLost, Interrupted]))
def test_a_script_that_is_cut_off_is_answered_as_unknown(seed: int, kind: type[RunbookError]) -> None:
    lab = Lab(seed, MemoryJournal())
    lab.error = kind("gone")
    report = lab.run()
    assert len(lab.commands) <= 1
    if lab.commands:
        answers = [r["answer"] for r in lab.journal.records if r["event"] == "answered" and r["answer"]]
        assert any(answer.get("type") == "Unknown" and "gone" in answer["why"] for answer in answers)
        assert report.outcome in ("unknown", "interrupted", "unreachable")
        assert lab.session.calls[-1].script == GIVE or lab.session.calls == lab.commands


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(0, 30))
def test_a_person_who_stops_it_is_heeded_before_the_next_question(seed: int, after: int) -> None:
    asked: list[None] = []

    def stop() -> str:
        asked.append(None)
        return A_PERSON if len(asked) > after else ""

    lab = Lab(seed, MemoryJournal(), stop)
    report = lab.run()
    if len(asked) > after:
        assert report.outcome in ("interrupted", "unknown")
        assert len(asked) == after + 1
    scripts = [call.script for call in lab.session.calls]
    assert scripts.count(TAKE) == scripts.count(GIVE)
