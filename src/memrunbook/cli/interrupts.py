"""Ctrl-C once: finish the command in flight and start nothing new. Twice: leave now."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from memrunbook.cli.streams import while_heard

# A terminal that goes away (SIGHUP: the login to the control node was lost) is nobody who could be asked any more.
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def finish_then_stop(stop: threading.Event) -> Iterator[None]:
    """While it lasts, the first Ctrl-C sets `stop`, the second one raises KeyboardInterrupt."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        while_heard(sys.stderr.write)("\nStopping after what is under way. Ctrl-C again leaves at once.\n")

    before = {number: signal.signal(number, interrupted) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
