"""The real clock, whose sleep a person can end."""

from __future__ import annotations

import threading
import time

from memrunbook.core.errors import Interrupted
from memrunbook.core.instant import Instant

POLL = 0.1
"""So many seconds after a person asked to stop, it is heeded."""


A_PERSON = "a person asked to stop"


def wish_of(stop: threading.Event) -> str:
    """Who wishes that nothing more is done, empty while nobody does: a person, unless the event has a `why`."""
    return str(getattr(stop, "why", A_PERSON)) if stop.is_set() else ""


class SystemClock:
    """The clocks of this machine. Once `stop` is set, every sleep ends with Interrupted; `stop.why` may say why."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> Instant:
        """This moment."""
        return Instant(utc=time.time(), monotonic=time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Waits; raises Interrupted when a person asks to stop, even where there is nothing to wait for.

        `stop` is looked at, not waited for: the handler of a signal sets it in the thread that sleeps here, and would
        wait for ever where that thread just holds the lock of the event.
        """
        until = time.monotonic() + seconds
        while not self._stop.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, POLL))
        raise Interrupted(str(getattr(self._stop, "why", "")))
