"""Waits for a condition under a deadline, so that nothing in the lab sleeps for luck."""

import time
from collections.abc import Callable

from tests.kernel.lab.errors import DeadlinePassed, Unreachable


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.2) -> None:
    """Return as soon as *condition* holds; raise DeadlinePassed after *seconds*. An unreachable guest is "not yet"."""
    deadline = time.monotonic() + seconds
    while not _holds(condition):
        if time.monotonic() > deadline:
            message = f"not within {seconds:.0f} s: {what}"
            raise DeadlinePassed(message)
        time.sleep(pause)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except Unreachable:
        return False
