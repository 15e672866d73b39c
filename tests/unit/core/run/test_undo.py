"""Taking back a run: planned first, the newest change first, looked at before and behind each gate, proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from tests.lab import small
from tests.unit.core.run.test_made import AT, CHANGE, UNDO

from memrunbook.core.errors import Interrupted, NotBegun, Refused, RunbookError, SessionLost
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.run.event import Event, RunFinished, StepFinished, StillHeld, UndoPlanned
from memrunbook.core.run.made import Made, reversal
from memrunbook.core.run.request import (
    Approval,
    AskApproval,
    Compare,
    Compared,
    Done,
    Execute,
    Failed,
    ReadFacts,
    Record,
    Request,
    TakesBack,
    Unknown,
    Waited,
)
from memrunbook.core.run.undo import undo_run
from memrunbook.core.run.undo_plan import RunToUndo

PLAIN = msgspec.structs.replace(CHANGE, settle=0.0, back_after=0.0)
OTHER = msgspec.structs.replace(PLAIN, target="vm.other", args=("/proc/sys/vm/other", "2"))
OTHER = msgspec.structs.replace(OTHER, undo=msgspec.structs.replace(UNDO, args=("/proc/sys/vm/other", "2", "1")))
ONE, TWO = Made(step="one", change=PLAIN, end="done", at=AT.utc), Made(step="two", change=OTHER, end="done", at=AT.utc)
BARE = Made(step="bare", change=msgspec.structs.replace(PLAIN, undo=None), end="done", at=AT.utc)


@dataclass
class World:
    """Answers in turn, the last of each for ever; `trouble` is thrown in at the n-th question of a kind (from 1)."""

    looks: Sequence[str] = ("made", "made", "made", "back")
    answers: Sequence[Any] = ("yes",)
    ends: Sequence[type] = (Done,)
    trouble: dict[tuple[str, int], RunbookError] = field(default_factory=dict)
    machine: str = ""
    holds: tuple[small.Hold, ...] = ()
    asked: list[Request] = field(default_factory=list)

    def count(self, kind: type) -> int:
        return sum(isinstance(request, kind) for request in self.asked)

    def answer(self, request: Request) -> Any:
        now = Instant(AT.utc + 60.0 + len(self.asked), len(self.asked))
        match request:
            case ReadFacts():
                identity = HostIdentity(machine_id=self.machine, boot_id="boot")
                now_held = small.snapshot(holds=small.Holds(all=self.holds))
                return msgspec.structs.replace(now_held, identity=identity)
            case Compare():
                return Compared(now, self._turn(self.looks, Compare))
            case AskApproval():
                answer = self._turn(self.answers, AskApproval)
                return answer if isinstance(answer, Approval) else Approval(now, answer, request.step.digest)
            case Execute():
                end = self._turn(self.ends, Execute)
                return end(now) if end is Done else end(now, "it broke")
            case _:
                return Waited(now)

    def _turn(self, several: Sequence[Any], kind: type) -> Any:
        return several[min(self.count(kind), len(several)) - 1]

    def follow(self, past: RunToUndo, *, only_plan: bool = False) -> World:
        asking = undo_run(past, only_plan=only_plan)
        try:
            request = next(asking)
            while True:
                self.asked.append(request)
                error = self.trouble.get((type(request).__name__, self.count(type(request))))
                request = asking.throw(error) if error else asking.send(self.answer(request))
        except StopIteration:
            return self

    @property
    def events(self) -> list[Event]:
        return [request.event for request in self.asked if isinstance(request, Record)]

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(event.id, event.state) for event in self.events if isinstance(event, StepFinished)]

    @property
    def end(self) -> RunFinished:
        end = self.events[-1]
        assert isinstance(end, RunFinished)
        return end

    @property
    def kinds(self) -> list[str]:
        return [type(request).__name__ for request in self.asked if not isinstance(request, Record)]

    def step(self, name: str) -> StepFinished:
        return next(event for event in self.events if isinstance(event, StepFinished) and event.id == name)


def past(*several: Made, **more: Any) -> RunToUndo:
    return RunToUndo(run="R", made=several, boot_id="boot", **more)


def undo(*several: Made, **world: Any) -> World:
    return World(**world).follow(past(*several))


def test_it_is_planned_locked_asked_looked_at_again_carried_out_and_proven() -> None:
    played = undo(ONE)
    assert played.kinds == [
        "ReadFacts", "Compare", "Lock", "Compare", "AskApproval", "Compare", "Execute", "Compare", "ReadFacts",
        "Unlock",
    ]  # fmt: skip
    planned = played.events[0]
    assert isinstance(planned, UndoPlanned)
    assert (planned.of, planned.plan.runbook, len(planned.plan.changes)) == ("R", "undo of R", 1)
    [request] = [request for request in played.asked if isinstance(request, Execute)]
    assert (request.change, request.undo, request.of) == (reversal(PLAIN), False, TakesBack(PLAIN, "R"))
    assert played.states == [("one", "done")]
    assert played.step("one").summary == "vm.swappiness back to 60"
    assert (played.end.outcome, played.end.why) == ("restored", "1 taken back")


def test_the_gate_says_what_it_is_about() -> None:
    question = next(request for request in undo(ONE).asked if isinstance(request, AskApproval))
    assert question.step.change == reversal(PLAIN)
    assert question.evidence == (("run R changed it", ()), ("vm.swappiness 60 -> 10", ()))
    assert not question.offered, "consent given beforehand covers what a person asked for by this very command"


def test_the_gate_and_the_plan_say_what_nobody_vouches_for() -> None:
    played = World().follow(past(ONE, unproven="nobody vouches for this"))
    question = next(request for request in played.asked if isinstance(request, AskApproval))
    assert question.evidence[0] == ("nobody vouches for this", ())
    planned = played.events[0]
    assert isinstance(planned, UndoPlanned)
    assert planned.plan.steps[0].why == "nobody vouches for this"


def test_the_newest_change_is_taken_back_first() -> None:
    played = undo(ONE, TWO, looks=("made",) * 4 + ("back",) + ("made",) * 2 + ("back",))
    assert played.states == [("two", "done"), ("one", "done")]


def test_only_the_plan_changes_nothing_and_takes_no_lock() -> None:
    played = World().follow(past(ONE), only_plan=True)
    assert played.kinds == ["ReadFacts", "Compare"]
    assert [type(event) for event in played.events] == [UndoPlanned]


def test_where_nothing_is_to_be_done_nothing_is_locked() -> None:
    played = undo(ONE, looks=("back",))
    assert played.kinds == ["ReadFacts", "Compare"]
    assert played.states == [("one", "not_needed")]
    assert played.end.outcome == "restored"
    alone = undo(BARE)
    assert (alone.states, alone.end.outcome, alone.kinds) == ([("bare", "blocked")], "refused", ["ReadFacts"])


def test_what_cannot_be_taken_back_does_not_spoil_the_rest() -> None:
    played = undo(ONE, BARE)
    assert played.states == [("bare", "blocked"), ("one", "done")]
    assert (played.end.outcome, played.end.why) == ("restored", "1 taken back, 1 left alone")


def test_what_somebody_else_changed_is_left_alone_and_the_rest_is_taken_back() -> None:
    played = undo(ONE, TWO, looks=("changed", "made", "made", "made", "back"))
    assert played.states == [("two", "blocked"), ("one", "done")]
    assert played.end.outcome == "refused"


@pytest.mark.parametrize("looks", [("made", "changed"), ("made", "made", "changed")])
def test_what_changes_while_it_is_asked_for_is_left_alone(looks: tuple[str, ...]) -> None:
    played = undo(ONE, looks=looks)
    assert played.states == [("one", "blocked")]
    assert "Execute" not in played.kinds


@pytest.mark.parametrize(
    ("answer", "state"),
    [("no", "refused"), ("skip", "skipped"), ("quit", "refused"), (Approval(AT, "yes", "of another"), "refused")],
)
def test_only_a_yes_for_exactly_this_takes_it_back(answer: Any, state: str) -> None:
    played = undo(ONE, answers=(answer,))
    assert played.states == [("one", state)]
    assert "Execute" not in played.kinds
    assert played.end.outcome == "refused"


def test_a_no_is_for_one_step_and_a_stop_is_for_all() -> None:
    looks = ("made", "made", "made", "made", "made", "back")
    assert undo(ONE, TWO, answers=("no", "yes"), looks=looks).states == [("two", "refused"), ("one", "done")]
    stopped = undo(ONE, TWO, answers=("quit",), looks=("made",))
    assert stopped.states == [("two", "refused"), ("one", "skipped")]
    assert stopped.step("one").why == "stopped at the gate of two"


def test_what_stands_under_a_change_that_stays_is_skipped() -> None:
    later = msgspec.structs.replace(ONE, step="later")
    played = undo(ONE, later, answers=("no",), looks=("made", "changed", "made", "changed"))
    assert played.states == [("later", "refused"), ("one", "skipped")]
    assert played.step("one").why == "later has changed the same since, and was not taken back"


def test_what_is_not_as_before_afterwards_has_failed_and_is_left() -> None:
    played = undo(ONE, looks=("made",))
    end = played.step("one")
    assert (end.state, end.left, end.why) == ("failed", True, "it is not as it was before")
    assert played.end.outcome == "failed"
    broke = undo(ONE, looks=("made",), ends=(Failed,)).step("one")
    assert broke.why == "it broke; it is not as it was before"


def test_an_end_that_was_not_seen_is_looked_for() -> None:
    assert undo(ONE, ends=(Unknown,)).states == [("one", "done")]
    played = undo(ONE, TWO, ends=(Unknown,), looks=("made", "made", "made", "made", "unknown"))
    assert played.states == [("two", "unknown"), ("one", "skipped")]
    assert (played.step("two").left, played.end.outcome) == (True, "unknown")


def test_what_cannot_be_looked_at_is_proven_by_its_own_end() -> None:
    played = undo(ONE, looks=("unknown",))
    assert played.states == [("one", "done")]
    assert "cannot be looked at" in played.step("one").why
    assert undo(ONE, looks=("unknown",), ends=(Failed,)).states == [("one", "failed")]


def test_an_undo_of_an_undo_makes_the_change_again_for_as_long_as_before() -> None:
    again = Made(step="one", change=reversal(CHANGE), of=TakesBack(CHANGE, "R"), end="done", at=AT.utc)
    played = undo(again, looks=("back", "back", "back", "made"))
    [request] = [request for request in played.asked if isinstance(request, Execute)]
    assert (request.change, request.of) == (CHANGE, None)
    assert played.states == [("one", "done")]
    assert played.step("one").back_at > AT.utc + 7200.0
    assert "Wait" in played.kinds, "it settles first"


def test_another_machine_is_refused() -> None:
    played = World(machine="other").follow(past(ONE, machine_id="this"))
    assert played.kinds == ["ReadFacts"]
    assert (played.end.outcome, played.end.why) == (
        "refused",
        "this is another machine than the one that the run worked on",
    )
    assert World(machine="this").follow(past(ONE, machine_id="this")).end.outcome == "restored"
    assert World(machine="").follow(past(ONE, machine_id="this")).end.outcome == "restored"


@pytest.mark.parametrize(
    ("place", "error", "outcome"),
    [
        (("ReadFacts", 1), SessionLost("lost"), "unreachable"),
        (("Compare", 1), Interrupted("Ctrl-C"), "interrupted"),
        (("Lock", 1), Refused("another run is at work"), "refused"),
    ],
)
def test_what_ends_it_before_anything_was_done_is_said(
    place: tuple[str, int], error: RunbookError, outcome: str
) -> None:
    played = undo(ONE, trouble={place: error})
    assert played.end.outcome == outcome
    assert str(error) in played.end.why
    assert all(
        str(error) not in step.why or outcome != "refused" for step in played.events if isinstance(step, StepFinished)
    ), "it is said once"
    assert "Execute" not in played.kinds


def test_a_host_that_is_not_begun_any_more_was_not_refused() -> None:
    played = undo(ONE, TWO, trouble={("Lock", 1): NotBegun("1 host failed (web1), --max-failures 1")}, looks=("made",))
    assert played.end.outcome == "not_begun"
    assert [played.step(name).why for name in ("two", "one")] == [
        "not reached: 1 host failed (web1), --max-failures 1"
    ] * 2


def test_a_cut_in_the_middle_records_every_step_and_gives_the_lock_back() -> None:
    gate = undo(ONE, TWO, trouble={("AskApproval", 1): Interrupted("Ctrl-C")}, looks=("made",))
    assert gate.states == [("two", "interrupted"), ("one", "skipped")]
    assert gate.step("two").why == "nothing was changed: Ctrl-C"
    assert (gate.end.outcome, gate.kinds[-1]) == ("interrupted", "Unlock")
    frozen = undo(ONE, TWO, trouble={("AskApproval", 1): Refused("switched off")}, looks=("made",))
    assert frozen.states == [("two", "refused"), ("one", "skipped")]
    lost = undo(ONE, trouble={("Compare", 4): SessionLost("lost")})
    assert lost.states == [("one", "unknown")]
    assert (lost.step("one").left, lost.end.outcome) == (True, "unknown")
    assert lost.step("one").why == "carried out, but not looked at again: lost"
    stopped = undo(ONE, trouble={("Compare", 4): Interrupted("Ctrl-C")})
    assert (stopped.states, stopped.end.outcome) == ([("one", "interrupted")], "interrupted")


def test_a_lock_that_cannot_be_given_back_hides_nothing() -> None:
    assert undo(ONE, trouble={("Unlock", 1): SessionLost("lost")}).end.outcome == "restored"


def test_what_is_still_held_is_said() -> None:
    played = undo(ONE, holds=(small.Hold(name="web"),))
    [held] = [event for event in played.events if isinstance(event, StillHeld)]
    assert "web is frozen" in held.held[0]
