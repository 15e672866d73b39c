"""What ends a firing early: the scheduler that stops, or the schedule's own `timeout`; and whose wish that is."""

from __future__ import annotations

import threading
from time import monotonic

from memrunbook.core.units import format_duration

SCHEDULER = "the scheduler was stopped"


class FiringStop(threading.Event):
    """Set once the scheduler stops (`outer`), or once so many seconds are over; `why` is the sentence for journals."""

    def __init__(self, outer: threading.Event, seconds: float | None = None) -> None:
        super().__init__()
        self._outer, self._seconds = outer, seconds or 0.0
        self._until = None if seconds is None else monotonic() + seconds
        self.timed_out = False
        """It was the time of the firing that was over first."""

    def is_set(self) -> bool:
        """True from then on."""
        if not super().is_set():
            late = self._until is not None and monotonic() >= self._until
            if self._outer.is_set() or late:
                self.timed_out = not self._outer.is_set()
                self.set()
        return super().is_set()

    @property
    def why(self) -> str:
        """Whose wish it is."""
        return f"the schedule's timeout of {format_duration(self._seconds)} was over" if self.timed_out else SCHEDULER
