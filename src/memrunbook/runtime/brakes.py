"""What holds changes back between the question and the script: the switch, the limits, another host at the same."""

from __future__ import annotations

from memrunbook.core.action.action import Change, Repeat
from memrunbook.core.errors import Refused
from memrunbook.core.run.request import AskApproval, Execute
from memrunbook.runtime.life import Life, Pause
from memrunbook.runtime.ports import Brakes

EVERY, PATIENCE = 5.0, 600.0
"""Seconds between two looks whether the other host is done, and after which nobody waits for it any more."""


class Unbraked:
    """For runs that nobody else knows of, as in tests of one run alone."""

    def forbids(self, change: Change) -> Refused | None:  # noqa: ARG002  the port's signature
        """Never."""
        return None

    def reasons(self, change: Change) -> tuple[str, ...]:  # noqa: ARG002  the port's signature
        """None."""
        return ()

    def begin(self, change: Change, step: str) -> int | str:  # noqa: ARG002  the port's signature
        """At once."""
        return 0

    def end(self, number: int, state: str) -> None:
        """Nothing is remembered."""


def let_ask(brakes: Brakes, question: AskApproval) -> None:
    """Refused for a change that may not be made now: nobody is asked what no answer would allow."""
    change = question.step.change
    if change is None or question.offered or change.repeat is Repeat.READ:
        return
    if (refused := brakes.forbids(change)) is not None:
        raise refused


def claim(brakes: Brakes, request: Execute, *, at_work: bool) -> Life[int | None]:
    """The number of a change that may begin now; waits for another host that is at the same.

    None for what only reads and what takes a change back, which is never held up. Refused where the brakes forbid it
    now, or where the other host takes too long.
    """
    if request.undo or request.change.repeat is Repeat.READ:
        return None
    waited = 0.0
    while True:
        if (refused := brakes.forbids(request.change)) is not None:
            raise refused
        begun = brakes.begin(request.change, request.step)
        if isinstance(begun, int):
            return begun
        if waited >= PATIENCE:
            raise Refused(f"{begun}: one host at a time", hint="repeat the command when that is done")
        yield Pause(EVERY, at_work)
        waited += EVERY
