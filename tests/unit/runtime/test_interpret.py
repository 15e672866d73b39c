"""The interpreter: journal, answer, journal, resume; what it tells the journal and the host."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, cast

import msgspec
import pytest
from tests.lab import small

from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.action.policy import ServicePolicy, ServiceRule
from memrunbook.core.errors import Interrupted, JournalError, Refused, SessionLost
from memrunbook.core.host import Host
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import LockBroken, RunFinished, StepFinished
from memrunbook.core.run.request import (
    Approval,
    Ask,
    AskApproval,
    Asking,
    Done,
    Execute,
    Lock,
    ReadFacts,
    Record,
    Request,
    TookOver,
    Unknown,
    Unlock,
    Wait,
    Waited,
)  # fmt: skip
from memrunbook.core.run.run import run_plan
from memrunbook.core.runbook.spec import VerifySpec
from memrunbook.core.units import Duration
from memrunbook.runtime.brakes import Unbraked
from memrunbook.runtime.clock import A_PERSON
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.holding import DISARM
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.judging import JUDGING
from memrunbook.runtime.life import Finished, Life, Pause, resume, run_alone
from memrunbook.runtime.lock import GIVE, TAKE
from memrunbook.runtime.ports import Output
from memrunbook.testing import START, Call, FixedClock, MemoryJournal, ScriptedApprover, ScriptedSession

CHANGE = Change(
    action="adjust",
    summary="Adjust web",
    target="web",
    script="act --token hunter2",
    args=("web",),
    risk=Risk.LOW,
    repeat=Repeat.IDEMPOTENT,
    undo=Undo("back", "back"),
)
READ = ReadFacts(("memory", "units"), 2, 5.0, "a test")
WELL = small.sample({"memory": small.Memory(available_percent=50.0), "units": small.services("web")})


class Lab:
    """An interpreter with a double at each port."""

    def __init__(self, **parts: Any) -> None:
        self.clock = FixedClock()
        self.session = ScriptedSession(sample=lambda: WELL, **parts.pop("session", {}))
        self.journal = MemoryJournal(parts.pop("breaks_at", None))
        self.approver = ScriptedApprover(clock=self.clock)
        self.watched: list[Request] = []
        self.interpreter = Interpreter(
            host="lab",
            run_id="20260101T000000-ABCD",
            actor="me",
            collector=Collector(Host("lab"), self.session, self.clock, small.FACTS),
            session=self.session,
            approver=self.approver,
            journal=self.journal,
            clock=self.clock,
            watch=self.watched.append,
            **parts,
        )

    def ask(self, *requests: Request) -> list[Any]:
        """The answers to these questions, or the error that was thrown in instead."""
        answers: list[Any] = []

        def asking() -> Generator[Request, Any, None]:
            for request in requests:
                try:
                    answers.append((yield request))
                except (SessionLost, Refused, Interrupted) as error:
                    answers.append(error)

        self.report = run_alone(self.interpreter.run(asking()), self.clock)
        return answers

    def journaled(self, event: str) -> list[dict[str, Any]]:
        return [record for record in self.journal.records if record["event"] == event]


def test_facts_are_read_with_the_policy_filled_in() -> None:
    lab = Lab(policy=ServicePolicy((ServiceRule(unit="web", restart="yes"),)))
    (snapshot,) = lab.ask(READ)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.value("memory.available_percent") == 50.0
    assert snapshot.value("units.all")[0].policy.restart == "yes"
    assert (snapshot.samples, snapshot.host) == (2, "lab")


def test_a_gate_is_asked_at_the_approver() -> None:
    lab = Lab()
    step = PlannedStep(id="a", name="A", action="adjust", decision="change", change=CHANGE, gate=True)
    (approval,) = lab.ask(AskApproval(step, START))
    assert approval == Approval(START, "yes", CHANGE.digest, "a test", "terminal")
    assert lab.approver.asked[0].step == step


class SlowApprover(ScriptedApprover):
    """Somebody who thinks for longer than a sample is valid."""

    def approve(self, host: str, question: AskApproval) -> Approval:
        self.clock.sleep(130.0)
        return super().approve(host, question)


def test_what_was_judged_by_a_watch_is_watched_again_after_a_long_gate() -> None:
    lab = Lab()
    lab.interpreter.approver = SlowApprover(clock=lab.clock)
    plan = run_plan(small.runbook(small.step(), count=9, short="memory.available_percent < 60.0"))
    run_alone(lab.interpreter.run(plan), lab.clock)
    samples = [told["answer"]["samples"] for told in lab.journaled("answered") if "readings" in told["answer"]]
    assert samples == [9, 9, 2, 9]


def test_what_a_run_decides_is_decided_by_one_host_at_a_time_and_what_it_asks_is_not() -> None:
    lab, decides, asks = Lab(), list[bool](), list[bool]()
    lab.interpreter.watch = lambda _: asks.append(JUDGING.locked())

    def asking() -> Asking[None]:
        for _ in range(2):
            decides.append(JUDGING.locked())
            yield Wait(1.0, "a test")

    run_alone(lab.interpreter.run(asking()), lab.clock)
    assert decides == [True, True]
    assert asks == [False, False]
    assert not JUDGING.locked()


def test_a_wait_passes_time_and_every_answer_carries_it() -> None:
    lab = Lab()
    (waited,) = lab.ask(Wait(7.0, "a test"))
    assert waited == Waited(lab.clock.now())
    assert waited.at.since(START) == 7.0


def test_waits_and_sample_intervals_are_asked_for() -> None:
    lab = Lab()

    def asking() -> Generator[Request, Any, None]:
        yield Wait(7.0, "a test")
        yield READ

    run = lab.interpreter.run(asking())
    assert resume(run) == Pause(7.0)
    interval = resume(run)
    assert isinstance(interval, Pause)
    assert interval.seconds == pytest.approx(4.9)  # of 5 s the host spent 0.1 s on its answer
    assert isinstance(resume(run), Finished)
    assert lab.clock.now() == START


def test_from_the_lock_on_a_wait_counts_as_work() -> None:
    lab = Lab()

    def asking() -> Generator[Request, Any, None]:
        for request in (READ, Lock(), Wait(7.0, "a test"), READ, Unlock(), Wait(7.0, "a test")):
            yield request
            lab.interpreter.collector.changed()

    run = lab.interpreter.run(asking())
    pauses = [resume(run) for _ in range(4)]
    assert [isinstance(pause, Pause) and pause.at_work for pause in pauses] == [False, True, True, False]
    assert isinstance(resume(run), Finished)


@pytest.mark.parametrize("request_", [Wait(7.0, "a test"), READ])
def test_who_asks_to_stop_in_a_wait_is_heard_by_the_run_and_journaled(request_: Request) -> None:
    lab = Lab()
    heard: list[Interrupted] = []

    def asking() -> Generator[Request, Any, None]:
        try:
            yield request_
        except Interrupted as error:
            heard.append(error)
        yield Unlock()

    run = lab.interpreter.run(asking())
    resume(run)
    stop = Interrupted("a person asked to stop")
    assert isinstance(resume(run, stop), Finished)
    assert heard == [stop]
    (record,) = lab.journaled("error")
    assert record == {"event": "error", "error": "Interrupted", "message": "a person asked to stop", "hint": ""}
    assert [call.script for call in lab.session.calls] == [GIVE]


def test_a_question_that_nobody_knows_is_not_answered_by_giving_the_lock_back() -> None:
    class Sing(Ask[Waited], frozen=True, tag=True):
        """A question of the future."""

    lab = Lab()
    with pytest.raises(AssertionError, match="Sing"):
        lab.ask(cast("Request", Sing()))
    assert lab.session.calls == []


def test_many_runs_wait_together_on_few_workers() -> None:
    labs = [Lab() for _ in range(20)]
    clock = FixedClock()

    def live(lab: Lab) -> Life[str]:
        lab.interpreter.clock = lab.interpreter.collector.clock = clock
        report = yield from lab.interpreter.run(run_plan(small.runbook(small.step())))
        return f"{report.outcome} {clock.now().since(START):.0f}"

    (alone,) = each([Lab()], live, 1, clock)
    assert clock.now() != START
    clock = FixedClock()
    assert each(labs, live, 2, clock) == [alone] * 20


def test_a_lock_is_taken_and_given_back_for_run_and_actor() -> None:
    lab = Lab()
    lab.ask(Lock(), Unlock())
    owner = "20260101T000000-ABCD me"
    calls = [(call.script, call.args) for call in lab.session.calls]
    assert calls == [(TAKE, (owner, "", "", "")), (GIVE, (owner, "settled"))]
    forced = Lab(break_lock=True, after="R1", session={"answer": lambda _: Output(0, "held R2 you\n")})
    (answer,) = forced.ask(Lock())
    assert forced.session.calls[0].args == (owner, "break", "", "R1")
    assert answer == TookOver(forced.clock.now(), LockBroken("R2 you", "killed"))


class Wire:
    """Two connections to a host: the first is cut before the lock is given back, the second one where it `fails`."""

    def __init__(self, *, fails: bool = False) -> None:
        self.first = ScriptedSession(sample=lambda: WELL, answer=self._cut)
        self.second = ScriptedSession(answer=self._cut if fails else lambda _: Output(0, ""))

    def _cut(self, call: Call) -> Output:
        return Output(None, "", lost=True) if call.script == GIVE else Output(0, "")

    def lab(self) -> Lab:
        lab = Lab(again=lambda: self.second)
        lab.interpreter.session = self.first
        return lab


OWNER = "20260101T000000-ABCD me"
STAYS = "the lock was not given back: it may stay on the host"


def test_a_lock_is_given_back_over_another_connection_where_the_first_one_is_lost() -> None:
    wire = Wire()
    lab = wire.lab()
    *_, answer = lab.ask(Lock(), Record(RunFinished("unresolved")), Unlock())
    assert isinstance(answer, Waited)
    assert [(call.script, call.args) for call in wire.second.calls] == [(GIVE, (OWNER, "settled"))]
    assert wire.second.closed


def test_a_lock_that_cannot_be_given_back_is_no_answer() -> None:
    for lab in (Wire(fails=True).lab(), Lab(session={"answer": Wire()._cut})):
        *_, error = lab.ask(Lock(), Record(RunFinished("unresolved")), Unlock())
        assert isinstance(error, SessionLost)
        assert lab.journaled("error")[-1]["message"] == STAYS


@pytest.mark.parametrize("outcome", ["unreachable", "unknown", "interrupted"])
def test_a_run_that_is_gone_on_with_keeps_the_lock_that_it_could_not_give_back(outcome: Any) -> None:
    wire = Wire()
    *_, error = wire.lab().ask(Lock(), Record(RunFinished(outcome)), Unlock())
    assert str(error) == STAYS
    assert wire.second.calls == []


@pytest.mark.parametrize(
    ("asked", "outcome", "settled"),
    [
        (Execute("act", CHANGE), "interrupted", ""),
        (Execute("act", msgspec.structs.replace(CHANGE, repeat=Repeat.READ)), "interrupted", "settled"),
        (READ, "interrupted", "settled"),
        (Execute("act", CHANGE), "failed", "settled"),
    ],
)
def test_the_marks_of_a_stopped_run_stay_whatever_ended_since(asked: Request, outcome: Any, settled: str) -> None:
    """Where its command is at work still, they are what shows it to whoever comes next."""
    lab = Lab()
    end = StepFinished(id="act", name="Act", action="adjust", item="", state="interrupted", left=True)
    lab.ask(Lock(), asked, Record(end), Record(RunFinished(outcome)), Unlock())
    assert [call.args[1] for call in lab.session.calls if call.script == GIVE] == [settled]


def test_a_run_that_is_stopped_in_its_proof_leaves_its_marks() -> None:
    never = VerifySpec("memory.available_percent > 1000.0", Duration(60), Duration(0))
    book = small.runbook(small.step(verify=never), incident="memory.available_percent > 1.0")
    lab = Lab()
    lab.interpreter.stop = lambda: (
        A_PERSON if [type(one) for one in lab.watched[-3:]] == [Execute, ReadFacts, Wait] else ""
    )
    report = run_alone(lab.interpreter.run(run_plan(book)), lab.clock)
    assert (report.outcome, [(one.state, one.left) for one in report.steps]) == ("interrupted", [("interrupted", True)])
    assert [call.args[1] for call in lab.session.calls if call.script == GIVE] == [""]


def test_a_refused_lock_is_thrown_into_the_run_and_journaled() -> None:
    lab = Lab(session={"answer": lambda _: Output(5, "held R2 you")})
    (error,) = lab.ask(Lock())
    assert isinstance(error, Refused)
    (record,) = lab.journaled("error")
    assert record == {"event": "error", "error": "Refused", "message": str(error), "hint": error.hint}


def test_a_change_is_carried_out_under_a_witness_that_names_its_record() -> None:
    lab = Lab(session={"answer": lambda _: Output(0, "fine", 2.0)})
    (done,) = lab.ask(Execute("act/web", CHANGE))
    assert done == Done(START, "fine", 2.0)
    (call,) = lab.session.calls
    run, record, witness, *args = call.args
    assert witness == f"runbook: run=20260101T000000-ABCD step=act/web record={record} by=me"
    assert (run, len(record), args) == ("20260101T000000-ABCD", 16, ["web"])


def test_a_change_is_taken_back_by_its_undo_and_its_timer_stopped() -> None:
    lab = Lab()
    timed = msgspec.structs.replace(CHANGE, back_after=60.0)
    lab.ask(Execute("act", timed, undo=True))
    undo, disarm = lab.session.calls
    assert 'back\n}\nmrb_act "$@"' in undo.script
    timer, mark = disarm.args
    assert (disarm.script, timer) == (DISARM, f"memrunbook-20260101t000000-abcd-{timed.digest[:8]}")
    assert mark.startswith("/run/memrunbook-holds/")


def test_after_a_change_no_earlier_sample_is_used_and_after_reading_it_is() -> None:
    harmless = msgspec.structs.replace(CHANGE, repeat=Repeat.READ)
    for change, seconds in ((CHANGE, 4.9), (harmless, 0.0)):  # of 5 s the host spent 0.1 s on its answer
        lab = Lab()
        first, _, _, second = lab.ask(READ, Wait(60.0, "a test"), Execute("act", change), READ)
        assert second.taken_at.since(first.taken_at) == pytest.approx(60.0 + seconds)


def test_evidence_is_saved_and_the_answer_says_where() -> None:
    lab = Lab(session={"answer": lambda _: Output(0, "all there is", 1.0)})
    kept = msgspec.structs.replace(CHANGE, evidence=True)
    (done,) = lab.ask(Execute("look/web", kept))
    assert lab.journal.evidence == {"look-web.txt": "all there is"}
    assert done.evidence == "look-web.txt"
    assert done.output.startswith("12 characters, sha256:")
    failed = Lab(session={"answer": lambda _: Output(1, "no")})
    failed.ask(Execute("look", kept))
    assert failed.journal.evidence == {}


@pytest.mark.parametrize("error", [SessionLost("gone"), Interrupted("Ctrl-C")])
def test_a_script_that_is_cut_off_is_unknown_and_ends_the_run_at_the_next_question(error: Any) -> None:
    def broken(_: Any) -> Output:
        raise error

    lab = Lab(session={"answer": broken})
    unknown, thrown, unlocked = lab.ask(Execute("act", CHANGE), READ, Record(RunFinished("unknown")))
    assert unknown == Unknown(START, f"cut off while it ran: {error}")
    assert thrown is error
    assert isinstance(unlocked, Waited)


def test_who_asks_to_stop_is_heeded_except_for_what_ends_it_well() -> None:
    lab = Lab(stop=lambda: A_PERSON)
    answers = lab.ask(READ, Execute("act", CHANGE), Wait(1.0, ""), Record(RunFinished("interrupted")), Unlock())
    assert [type(answer).__name__ for answer in answers] == ["Interrupted"] * 3 + ["Waited"] * 2
    assert str(answers[0]) == "a person asked to stop"
    assert [call.script for call in lab.session.calls] == [GIVE]


def test_every_question_is_shown_to_who_watches() -> None:
    lab = Lab()
    questions: list[Request] = [Lock(), READ, Record(RunFinished("healthy")), Unlock()]
    lab.ask(*questions)
    assert lab.watched == questions


def test_what_is_recorded_makes_the_report() -> None:
    lab = Lab()
    lab.ask(Record(RunFinished("healthy", "nothing to do")))
    assert (lab.report.host, lab.report.outcome, lab.report.why) == ("lab", "healthy", "nothing to do")
    (record,) = lab.journal.records
    assert record["event"] == "recorded"
    assert record["record"]["outcome"] == "healthy"


def test_a_run_without_an_end_is_reported_as_interrupted() -> None:
    lab = Lab()
    lab.ask()
    assert lab.report.outcome == "interrupted"


def test_question_and_answer_are_journaled_around_the_act_without_secrets() -> None:
    lab = Lab(session={"answer": lambda _: Output(0, "password: hunter2")})
    lab.ask(Execute("act", CHANGE))
    asked, answered = lab.journal.records
    assert (asked["event"], asked["request"]["type"]) == ("asked", "Execute")
    assert asked["request"]["change"]["script"] == "act --token [redacted]"
    assert asked["request"]["change"]["args"] == ["web"]
    assert (answered["event"], answered["answer"]["output"]) == ("answered", "password: [redacted]")
    assert "hunter2" not in str(lab.journal.records)


@pytest.mark.parametrize("breaks_at", [0, 1, 2, 3])
def test_a_journal_that_breaks_ends_everything(breaks_at: int) -> None:
    lab = Lab(breaks_at=breaks_at)
    with pytest.raises(JournalError):
        lab.ask(Execute("one", CHANGE), Execute("two", CHANGE))
    assert len(lab.session.calls) == (breaks_at + 1) // 2


def test_a_connection_that_is_lost_while_reading_is_thrown_in() -> None:
    class Lost:
        """A session whose host is gone."""

        identity, root, no_root = ScriptedSession().identity, True, ""

        def execute(self, *_: Any, **__: Any) -> Output:
            return Output(None, "", lost=True)

        def close(self) -> None:
            raise AssertionError

    lab = Lab()
    lab.interpreter.collector = Collector(Host("lab"), Lost(), lab.clock, small.FACTS)
    (error,) = lab.ask(READ)
    assert isinstance(error, SessionLost)


class Away(Unbraked):
    """Brakes whose store was waited for when a person asked to stop."""

    def __init__(self, where: str) -> None:
        self.where, self.ends = where, list[str]()

    def reasons(self, change: Change, besides: Sequence[str] = ()) -> tuple[str, ...]:
        return self._asked("reasons") or super().reasons(change, besides)

    def forbids(self, change: Change) -> Refused | None:
        self._asked("forbids")
        return super().forbids(change)

    def begin(self, change: Change, step: str, *, consented: bool, besides: Sequence[str] = ()) -> int | str:
        self._asked("begin")
        return super().begin(change, step, consented=consented, besides=besides)

    def end(self, number: int, state: str) -> None:
        self.ends.append(state)

    def _asked(self, what: str) -> tuple[str, ...]:
        if what == self.where:
            raise Interrupted(A_PERSON)
        return ()


@pytest.mark.parametrize("where", ["reasons", "forbids", "begin"])
def test_whoever_stops_while_the_store_is_waited_for_has_stopped_the_run(where: str) -> None:
    lab = Lab(brakes=Away(where))
    step = PlannedStep(id="a", name="A", action="adjust", decision="change", change=CHANGE, gate=True)
    answers = lab.ask(AskApproval(step, START), Execute("a", CHANGE))
    assert isinstance(answers[-1], Interrupted)
    assert isinstance(answers[0], Approval) == (where == "begin")
    assert lab.session.calls == []
    asked, answered, failed = (len(lab.journaled(event)) for event in ("asked", "answered", "error"))
    assert (asked, answered) == (2, 2 - failed), "each question has its answer"
    assert failed
