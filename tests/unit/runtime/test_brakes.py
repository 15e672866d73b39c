"""What holds a change back between question and script."""

from __future__ import annotations

import pytest

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.errors import Refused
from memrunbook.core.run.request import Execute
from memrunbook.runtime.brakes import EVERY, PATIENCE, Unbraked, claim
from memrunbook.runtime.life import Finished, Pause, resume

BUSY = "api.service: the same is under way on web-2 since 40 s (run R1)"


class Brakes(Unbraked):
    """Brakes that say what they are told to: who is at the same, look by look."""

    def __init__(self, *busy: str, off: str = "") -> None:
        self.busy, self.said, self.looks = list(busy), off, 0

    def off(self) -> str:
        return self.said

    def begin(self, change: Change, step: str) -> int | str:
        self.looks += 1
        return self.busy.pop(0) if self.busy else 7


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
    with pytest.raises(Refused, match=r"is under way on web-2 since 40 s.*one at a time"):
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


def test_without_brakes_nothing_is_held_back() -> None:
    brakes, change = Unbraked(), request().change
    assert (brakes.off(), brakes.reasons(change), brakes.begin(change, "x")) == ("", (), 0)
    brakes.end(0, "done")
