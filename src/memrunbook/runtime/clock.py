"""The real clock, whose sleep a person can end."""

from __future__ import annotations

import threading
import time

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
