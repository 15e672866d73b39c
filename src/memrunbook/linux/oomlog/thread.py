"""What one thread of the kernel is in the midst of telling; all of them where it does not print who writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from memrunbook.linux.oomlog import memory, sums
from memrunbook.linux.oomlog.event import Failure, LogEvent
from memrunbook.linux.oomlog.frame import LogLine

LULL = 60.0
JITTER = 1.0
"""Lines of several processors are not quite in the order of their stamps."""


class Thread:
    """The event and the failed allocation whose lines may still come."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.reported = False  # the failure's own memory report has begun
        self.event: LogEvent | None = None
        self.open(None)

    def open(self, event: LogEvent | None) -> None:
        """Begins another event; the one before it is complete."""
        if self.event:
            sums.close(self.event)
        self.event = event
        self.counts = False  # it is an event; else only a memory report was seen, of whatever
        self.columns: list[str] = []
        self.frame = b""  # what stands in front of the table's header
        self.below: Callable[[str], object] | None = None  # reads what stands below the last line
        self.failure = None

    @property
    def awaits(self) -> bool:
        """Whether more lines belong to what is being told."""
        return self.failure is not None or (self.event is not None and not self.event.is_over)

    def report(self, line: LogLine) -> bool:
        """A memory report begins: the failure's own, or that of an event whose header may be lost."""
        if not line.text.startswith("Mem-"):
            return False
        if self.failure and not self.reported and not is_late(self.failure, line):
            self.reported, self.below = True, partial(memory.counts, self.failure)
            return True
        self.failure = None
        if self.event is None or is_late(self.event, line):
            self.open(LogEvent(stamp=line.stamp, date=line.date, style=line.style))
        if self.event and not self.event.is_over:
            self.below = partial(memory.counts, self.event)
        return True


def is_late(told: LogEvent | Failure, line: LogLine) -> bool:
    """Whether too much time passed for the same event; a clock that went back is another boot."""
    if told.stamp is None or line.stamp is None:
        return False
    return not -JITTER <= line.stamp - told.stamp <= LULL
