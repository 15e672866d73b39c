"""The real clock, whose sleep a person can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from memrunbook.core.errors import Interrupted
from memrunbook.core.instant import Instant


class SystemClock:
    """The clocks of this machine. Once `stop` is set, every sleep ends at once with Interrupted."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> Instant:
        """This moment."""
        return Instant(utc=time.time(), monotonic=time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Waits; raises Interrupted when a person asks to stop."""
        if self._stop.wait(max(0.0, seconds)):
            raise Interrupted


class BusyClock(SystemClock):
    """A clock that has something to do in the first wait: what is needed only afterwards is loaded meanwhile."""

    def __init__(self, stop: threading.Event, work: Callable[[], object]) -> None:
        super().__init__(stop)
        self._work: Callable[[], object] | None = work

    def sleep(self, seconds: float) -> None:
        """Does the work once, then waits for what is left."""
        began = time.monotonic()
        work, self._work = self._work, None
        if work is not None:
            work()
        super().sleep(seconds - (time.monotonic() - began))
