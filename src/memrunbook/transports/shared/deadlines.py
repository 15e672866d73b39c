"""What is to be done when something takes too long: one thread looks after the deadlines of all connections."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

_TICK = 0.25
"""Seconds until a thread that could not be started is tried again."""


class Deadlines:
    """A thread a deadline, as `threading.Timer` has it, costs a host eight threads; this is one for all hosts."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._numbers = itertools.count()
        self._due: list[tuple[float, int]] = []  # a heap
        self._acts: dict[int, Callable[[], object]] = {}
        self._looks = False

    def set(self, seconds: float, act: Callable[[], object]) -> int:
        """Has that done in so many seconds, in a thread of its own, unless it is taken back by its number.

        RuntimeError where this machine has no thread for it; nothing is set then.
        """
        with self._turn:
            if not self._looks:
                threading.Thread(target=self._look, name="deadlines", daemon=True).start()
                self._looks = True
            number = next(self._numbers)
            self._acts[number] = act
            heapq.heappush(self._due, (time.monotonic() + seconds, number))
            if self._due[0][1] == number:
                self._turn.notify()
            return number

    def take_back(self, number: int) -> None:
        """Nothing is done; what the act holds is let go at once."""
        with self._turn:
            self._acts.pop(number, None)

    def _look(self) -> None:
        while True:
            with self._turn:
                while self._due and self._due[0][1] not in self._acts:
                    heapq.heappop(self._due)
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is None or left > 0:
                    self._turn.wait(left)
                    continue
                _, number = heapq.heappop(self._due)
                act = self._acts.pop(number)
            # What it does may take its time, too: the deadlines of others do not wait for that.
            try:
                threading.Thread(target=act, daemon=True).start()
            except RuntimeError:  # no more threads may be started just now; somebody waits for this one
                with self._turn:
                    self._acts[number] = act
                    heapq.heappush(self._due, (time.monotonic() + _TICK, number))
