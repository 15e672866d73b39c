"""Waits for a store that does not answer now: nothing is changed meanwhile, and then the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from memrunbook.core.errors import Interrupted, JournalError, StoreAway
from memrunbook.core.units import format_duration
from memrunbook.runtime.ports import Clock

T = TypeVar("T")
EVERY = 1.0
"""Seconds between two times that the same is asked of a store that does not answer."""
AWAY = "the store does not answer; nothing is changed until it does"
BACK = "the store answers again"
NOT_KEPT = "the journal has it; until the store knows it, runs on other hosts may wait for this one"


def _silent(_words: str, _hint: str) -> None:
    """Nobody is told."""


@dataclass
class Outage:
    """What is asked of the store by all hosts of a run; safe with several threads.

    `patience` is how long one outage is waited for, in seconds; `told` is told, in words and with a hint, once that it
    began and once that it is over.
    """

    patience: float = 0.0
    told: Callable[[str, str], object] = _silent
    _since: float | None = field(default=None, init=False)
    _answered: float = field(default=float("-inf"), init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def answer(self, question: Callable[[], T], clock: Clock) -> T:
        """The answer to a question, which is asked until there is one.

        StoreAway where that takes longer than the patience, Interrupted where a person asks to stop meanwhile.
        """
        while True:
            asked = clock.now().monotonic
            try:
                found = question()
            except StoreAway as error:
                self._wait(error, asked, clock)
            else:
                self._over(clock.now().monotonic)
                return found

    def remember(self, what: str, saying: Callable[[], object], clock: Clock) -> None:
        """Says what has happened already to the store; where that fails, it is told that it is not known there."""
        try:
            self.answer(saying, clock)
        except (JournalError, Interrupted) as error:
            why = error.message if isinstance(error, JournalError) else AWAY
            self.told(f"{what} is not remembered: {why}", NOT_KEPT)

    def _wait(self, error: StoreAway, asked: float, clock: Clock) -> None:
        """Lets a moment pass before it is asked again; raises the error where it was waited for long enough."""
        now = clock.now().monotonic
        with self._turn:
            if self._since is None and asked >= self._answered:  # else another host had an answer since
                self._since = asked
                if self.patience > 0:
                    self.told(AWAY, f"{error}; it is waited for, {format_duration(self.patience)} at most")
            left = self.patience - (now - (asked if self._since is None else self._since))
        if left <= 0:
            raise error
        clock.sleep(min(EVERY, left))

    def _over(self, now: float) -> None:
        with self._turn:
            self._answered = now
            if self._since is not None and self.patience > 0:
                self.told(BACK, "")
            self._since = None
