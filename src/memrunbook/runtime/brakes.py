"""What holds changes back between the question and the script: the switch, the limits, another host at the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memrunbook.core.action.action import Change, Repeat
from memrunbook.core.errors import OutOfDate, Refused
from memrunbook.core.run.request import WAITED, AskApproval, Execute, Turn, Wait
from memrunbook.core.units import format_duration
from memrunbook.runtime.life import Life, Pause
from memrunbook.runtime.ports import Brakes, Clock

EVERY, PATIENCE = 5.0, 1200.0
"""Seconds between two looks whether the other host is done, and after which nobody waits for it any more."""
NOT_BEGUN = "not begun"
"""The end of a turn in which nothing was done: no limit counts it."""


class Unbraked:
    """For runs that nobody else knows of, as in tests of one run alone."""

    def forbids(self, change: Change) -> Refused | None:  # noqa: ARG002  the port's signature
        """Never."""
        return None

    def reasons(self, change: Change, besides: Sequence[str] = ()) -> tuple[str, ...]:  # noqa: ARG002  the port's
        """None."""
        return ()

    def begin(self, change: Change, step: str, *, consented: bool, besides: Sequence[str] = ()) -> int | str:  # noqa: ARG002
        """At once."""
        return 0

    def end(self, number: int, state: str) -> None:
        """Nothing is remembered."""


def claim(
    brakes: Brakes, request: Turn | Execute, *, at_work: bool, consented: bool = True, besides: Sequence[str] = ()
) -> Life[int | None]:
    """The number of a change that may begin now; waits for another host that is at the same.

    None for what only reads and what takes a change back, which is never held up. Refused where the brakes forbid it
    now, where the other host takes too long, and, unless a person `consented` to go beyond the limits, where what
    others did meanwhile needs a person's word; what the runs `besides` began of it does not count.
    """
    if is_free(request):
        return None
    waited = 0.0
    while True:
        heed(brakes, request.change)
        begun = brakes.begin(request.change, request.step, consented=consented, besides=besides)
        if isinstance(begun, int):
            return begun
        if waited >= PATIENCE:
            raise Refused(
                f"waited {format_duration(PATIENCE)} for {begun}", hint="repeat the command when that is done"
            )
        yield Pause(EVERY, at_work)
        waited += EVERY


def is_free(request: Turn | Execute) -> bool:
    """True for what only reads, is part of a proof, or takes a change back: nothing holds it up."""
    return request.change.repeat is Repeat.READ or (isinstance(request, Execute) and request.undo)


def heed(brakes: Brakes, change: Change) -> None:
    """Refused for a change that may not be made now."""
    if (refused := brakes.forbids(change)) is not None:
        raise refused


@dataclass
class StepTurn:
    """The turn of the step under way: from before its first effect until it has ended, proven or not.

    `acted`: something was carried out in it. `consented`: a person was shown what goes beyond the limits.
    `besides`: runs whose beginning of the same is open; it is repeated by its own word.
    """

    number: int | None = None
    acted: bool = False
    consented: bool = False
    besides: tuple[str, ...] = ()

    def asked(self, brakes: Brakes, question: AskApproval) -> None:
        """Before a gate: Refused for a change that may not be made now; nobody is asked what no answer would allow."""
        self.consented, self.besides = bool(question.limits), question.begun_by
        change = question.step.change
        if change is not None and not question.offered and change.repeat is not Repeat.READ:
            heed(brakes, change)

    def wait(self, brakes: Brakes, request: Wait | Turn, *, at_work: bool) -> Life[None]:
        """Lets time pass, or waits for the turn."""
        if isinstance(request, Turn):
            yield from self.begin(brakes, request, at_work=at_work)
        else:
            yield Pause(request.seconds, at_work)

    def begin(self, brakes: Brakes, request: Turn | Execute, *, at_work: bool) -> Life[None]:
        """Takes the turn where it is not had yet; it is looked before each effect whether it may be made."""
        if self.number is None:
            consented = self.consented or not isinstance(request, Turn)
            self.number = yield from claim(brakes, request, at_work=at_work, consented=consented, besides=self.besides)
        elif not is_free(request):
            heed(brakes, request.change)

    def act(self, brakes: Brakes, request: Execute, clock: Clock, *, at_work: bool) -> Life[None]:
        """The same right before an effect; OutOfDate where what it rests on grew old while the brakes were waited for.

        The turn stays: what is read then is read behind it.
        """
        asked = clock.now()
        yield from self.begin(brakes, request, at_work=at_work)
        if not is_free(request) and clock.now().since(asked) >= WAITED:
            raise OutOfDate("it had to wait, and what it rests on is read again")

    def end(self, brakes: Brakes, state: str) -> None:
        """Lets others have their turn."""
        if self.number is not None:
            brakes.end(self.number, state if self.acted else NOT_BEGUN)
        self.number, self.acted, self.consented, self.besides = None, False, False, ()
