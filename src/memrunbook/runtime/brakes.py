"""What holds changes back between the question and the script: the switch, the limits, another host at the same."""

from __future__ import annotations

from memrunbook.core.action.action import Change, Repeat
from memrunbook.core.errors import Refused
from memrunbook.core.run.request import Execute, Turn
from memrunbook.runtime.life import Life, Pause
from memrunbook.runtime.ports import Brakes

EVERY, PATIENCE = 5.0, 1200.0
"""Seconds between two looks whether the other host is done, and after which nobody waits for it any more."""
NOT_BEGUN = "not begun"
"""The end of a turn in which nothing was done: no limit counts it."""


class Unbraked:
    """For runs that nobody else knows of, as in tests of one run alone."""

    def off(self) -> str:
        """Never."""
        return ""

    def reasons(self, change: Change) -> tuple[str, ...]:  # noqa: ARG002  the port's signature
        """None."""
        return ()

    def begin(self, change: Change, step: str) -> int | str:  # noqa: ARG002  the port's signature
        """At once."""
        return 0

    def end(self, number: int, state: str) -> None:
        """Nothing is remembered."""


def claim(brakes: Brakes, request: Turn | Execute, *, at_work: bool, consented: bool = True) -> Life[int | None]:
    """The number of a change that may begin now; waits for another host that is at the same.

    None for what only reads and what takes a change back, which is never held up. Refused while changes are switched
    off, where the other host takes too long, and, unless a person `consented` to go beyond the limits, where what
    others did meanwhile needs a person's word.
    """
    if is_free(request):
        return None
    waited = 0.0
    while True:
        heed_switch(brakes)
        reasons = () if consented else brakes.reasons(request.change)
        if reasons:
            raise Refused(reasons[0], hint="look at the other hosts; at a terminal a person may still allow it")
        begun = brakes.begin(request.change, request.step)
        if isinstance(begun, int):
            return begun
        if waited >= PATIENCE:
            raise Refused(f"{begun}: one at a time", hint="repeat the command when that is done")
        yield Pause(EVERY, at_work)
        waited += EVERY


def is_free(request: Turn | Execute) -> bool:
    """True for what only reads, is part of a proof, or takes a change back: nothing holds it up."""
    return request.change.repeat is Repeat.READ or (isinstance(request, Execute) and request.undo)


def heed_switch(brakes: Brakes) -> None:
    """Refused while changes are switched off."""
    if off := brakes.off():
        raise Refused(off, hint="runbook on ends that; what was planned is saved with: runbook plan --out FILE")
