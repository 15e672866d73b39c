"""What holds changes back between the question and the script: the switch, the limits, another host at the same."""

from __future__ import annotations

from memrunbook.core.action.action import Change
from memrunbook.core.errors import Refused
from memrunbook.runtime.life import Life, Pause
from memrunbook.runtime.ports import Brakes

EVERY, PATIENCE = 5.0, 600.0
"""Seconds between two looks whether the other host is done, and after which nobody waits for it any more."""


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


def claim(brakes: Brakes, change: Change, step: str, *, at_work: bool) -> Life[int]:
    """The number of a change that may begin now; waits for another host that is at the same.

    Refused while changes are switched off, or where the other host takes too long.
    """
    waited = 0.0
    while True:
        if off := brakes.off():
            raise Refused(off, hint="runbook on ends that; what was planned is saved with: runbook plan --out FILE")
        begun = brakes.begin(change, step)
        if isinstance(begun, int):
            return begun
        if waited >= PATIENCE:
            raise Refused(f"{begun}: one host at a time", hint="repeat the command when that is done")
        yield Pause(EVERY, at_work)
        waited += EVERY
