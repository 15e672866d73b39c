"""Ctrl-C, or SIGTERM, once: finish the command in flight and start nothing new. Twice: leave now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from memrunbook.cli import streams

LISTED = 8
# A terminal that goes away (SIGHUP: the login to the control node was lost) is nobody who could be asked any more.
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_stderr(words: str) -> None:
    """Says it below what stands there."""
    streams.on_stderr(f"\n{words}\n")


@contextmanager
def finish_then_stop(
    stop: threading.Event, in_flight: Callable[[], Sequence[str]] = tuple, tell: Callable[[str], object] = on_stderr
) -> Iterator[None]:
    """While it lasts, the first Ctrl-C sets `stop`, the second one raises KeyboardInterrupt; other signals do the same.

    `in_flight` names the commands that are under way: those are waited for, which is what `tell` is told. The signal
    that came is named there: where a service manager sent it nobody has a key to press.
    """

    def interrupted(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        again = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        tell(f"{_stopping(in_flight())} {again} again leaves at once.")

    before = {number: signal.signal(number, interrupted) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def finish_then_hand_on(
    stop: threading.Event, hand_on: Callable[[], object], tell: Callable[[str], object]
) -> Iterator[None]:
    """The same of a worker: the first signal takes nothing new, the second hands on what is under way."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            threading.Thread(target=hand_on, daemon=True).start()  # this one may hold what that needs
            tell("Handing on what is under way.")
            return
        stop.set()
        tell("Stopping: nothing new is begun, what is under way comes to its end. Again hands that on.")

    before = {number: signal.signal(number, interrupted) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopping(commands: Sequence[str]) -> str:
    if not commands:
        return "Stopping: nothing new is begun."
    which = "this command" if len(commands) == 1 else f"these {len(commands)} commands"
    return f"Stopping after {which} ({', '.join(commands[:LISTED])})."
