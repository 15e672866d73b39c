"""What holds a change back between question and script."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.errors import OutOfDate, Refused
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.request import WAITED, AskApproval, Execute, Turn, Wait
from memrunbook.runtime.brakes import EVERY, NOT_BEGUN, PATIENCE, StepTurn, Unbraked, claim
from memrunbook.runtime.life import Finished, Pause, resume
from memrunbook.testing import FixedClock

BUSY = "web-2, its peer: run R1 by ada@ops is at api.service there (restart_unit) since 2026-11-29 09:12 UTC"


class Brakes(Unbraked):
    """Brakes that say what they are told to: who is at the same, look by look."""

    def __init__(self, *busy: str, off: str = "", held: tuple[str, ...] = ()) -> None:
        self.busy, self.said, self.held, self.looks = list(busy), off, held, 0
        self.ends: list[tuple[int, str]] = []

    def end(self, number: int, state: str) -> None:
        self.ends.append((number, state))

    def forbids(self, change: Change) -> Refused | None:
        del change
        return Refused(self.said) if self.said else None

    def begin(self, change: Change, step: str, *, consented: bool, besides: Sequence[str] = ()) -> int | str:
        self.looks += 1
        if self.busy:
            return self.busy.pop(0)
        if self.held and not consented:
            raise Refused(self.held[0])
        return 7


def request(*, undo: bool = False, repeat: Repeat = Repeat.ONCE) -> Execute:
    change = Change(
        action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM, repeat=repeat
    )
    return Execute("restart", change, undo=undo)


def test_a_change_that_nobody_else_is_at_begins_at_once() -> None:
    assert resume(claim(Brakes(), request(), at_work=True)) == Finished(7)


def test_one_that_another_host_is_at_waits_for_it() -> None:
    life = claim(Brakes(BUSY, BUSY), request(), at_work=True)
    assert [resume(life) for _ in range(3)] == [Pause(EVERY, True), Pause(EVERY, True), Finished(7)]


def test_nobody_waits_for_ever() -> None:
    brakes = Brakes(*[BUSY] * 1000)
    life = claim(brakes, request(), at_work=False)
    for _ in range(int(PATIENCE / EVERY)):
        assert resume(life) == Pause(EVERY)
    with pytest.raises(Refused, match=r"^waited 20 min for web-2, its peer: run R1 by ada@ops is at"):
        resume(life)
    assert brakes.looks == PATIENCE / EVERY + 1


def test_the_switch_is_looked_at_before_each_look() -> None:
    brakes = Brakes(BUSY, BUSY)
    life = claim(brakes, request(), at_work=False)
    resume(life)
    brakes.said = "changes are switched off by ada"
    with pytest.raises(Refused, match="switched off by ada"):
        resume(life)


@pytest.mark.parametrize("free", [request(undo=True), request(repeat=Repeat.READ)], ids=["undo", "read"])
def test_taking_back_and_looking_are_never_held_up(free: Execute) -> None:
    brakes = Brakes(BUSY, off="changes are switched off")
    assert resume(claim(brakes, free, at_work=False)) == Finished(None)
    assert brakes.looks == 0


def question(request: Execute, *, offered: bool = False) -> AskApproval:
    step = PlannedStep(id="restart", name="Restart", action="restart_unit", decision="change", change=request.change)
    return AskApproval(step, Instant(0.0, 0.0), offered=offered)


def test_nobody_is_asked_what_no_answer_would_allow() -> None:
    brakes = Brakes(off="changes are switched off")
    with pytest.raises(Refused, match="switched off"):
        StepTurn().asked(brakes, question(request()))
    StepTurn().asked(Brakes(), question(request()))
    StepTurn().asked(brakes, question(request(), offered=True))
    StepTurn().asked(brakes, question(request(repeat=Repeat.READ)))
    StepTurn().asked(
        brakes, AskApproval(msgspec.structs.replace(question(request()).step, change=None), Instant(0.0, 0.0))
    )


def test_without_brakes_nothing_is_held_back() -> None:
    brakes, change = Unbraked(), request().change
    assert (brakes.forbids(change), brakes.reasons(change), brakes.begin(change, "x", consented=True)) == (None, (), 0)
    brakes.end(0, "done")


def turn() -> Turn:
    return Turn("restart", request().change)


STEP = PlannedStep(id="restart", name="Restart", action="restart_unit", decision="change", change=request().change)
NOW = Instant(0.0, 0.0)


def test_a_turn_is_kept_until_the_step_has_ended() -> None:
    brakes, mine = Brakes(BUSY), StepTurn()
    waiting = mine.wait(brakes, turn(), at_work=True)
    assert [resume(waiting), resume(waiting)] == [Pause(EVERY, True), Finished(None)]
    for effect in (request(), request(repeat=Repeat.READ), request(undo=True)):
        assert resume(mine.begin(brakes, effect, at_work=True)) == Finished(None)
    assert brakes.looks == 2, "it was taken once"
    mine.acted = True
    mine.end(brakes, "failed")
    assert brakes.ends == [(7, "failed")]
    mine.end(brakes, "done")
    assert len(brakes.ends) == 1, "nobody has a turn"
    assert resume(mine.wait(brakes, Wait(3.0, "x"), at_work=False)) == Pause(3.0)


def test_a_turn_in_which_nothing_was_done_counts_for_nothing() -> None:
    brakes, mine = Brakes(), StepTurn()
    resume(mine.begin(brakes, turn(), at_work=True))
    mine.end(brakes, "not_needed")
    assert brakes.ends == [(7, NOT_BEGUN)]


def test_what_others_did_while_it_waited_needs_a_persons_word() -> None:
    brakes, mine = Brakes(BUSY), StepTurn()
    mine.asked(brakes, AskApproval(STEP, NOW))
    life = mine.begin(brakes, turn(), at_work=True)
    resume(life)
    brakes.held = ("api.service: 3 other hosts had the same change",)
    with pytest.raises(Refused, match="3 other hosts had the same change"):
        resume(life)
    known = StepTurn()
    known.asked(brakes, AskApproval(STEP, NOW, limits=brakes.held))
    assert resume(known.begin(brakes, turn(), at_work=True)) == Finished(None), "a person was shown it and said yes"


def test_nobody_is_asked_for_what_may_not_be_done() -> None:
    brakes, mine = Brakes(), StepTurn()
    resume(mine.begin(brakes, turn(), at_work=True))
    brakes.said = "changes are switched off by ada"
    with pytest.raises(Refused, match="switched off by ada"):
        mine.asked(brakes, AskApproval(STEP, NOW))
    mine.asked(brakes, AskApproval(STEP, NOW, offered=True))
    with pytest.raises(Refused, match="switched off by ada"):
        resume(mine.begin(brakes, request(), at_work=True))
    assert resume(mine.begin(brakes, request(undo=True), at_work=True)) == Finished(None)


class Away(Brakes):
    """Brakes whose store does not answer for so many seconds, each time that they are asked whether it may be."""

    def __init__(self, clock: FixedClock, seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def forbids(self, change: Change) -> Refused | None:
        self.clock.sleep(self.seconds)
        return super().forbids(change)


@pytest.mark.parametrize("taken", [True, False])
def test_what_was_read_before_a_long_wait_is_read_again_before_an_effect(taken: bool) -> None:  # noqa: FBT001
    clock, mine = FixedClock(), StepTurn()
    brakes = Away(clock, WAITED - 0.1)
    if taken:
        resume(mine.begin(brakes, turn(), at_work=True))
    assert resume(mine.act(brakes, request(), clock, at_work=True)) == Finished(None)
    brakes.seconds = WAITED + 0.1
    with pytest.raises(OutOfDate, match="is read again"):
        resume(mine.act(brakes, request(), clock, at_work=True))
    assert (mine.number, brakes.looks) == (7, 1), "the turn stays"
    for free in (request(undo=True), request(repeat=Repeat.READ)):
        assert resume(mine.act(brakes, free, clock, at_work=True)) == Finished(None)
