"""Many lives on few workers: a life that waits holds none, and the results come in the order of the hosts."""

from __future__ import annotations

import heapq
import queue
import resource
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from memrunbook.core.errors import Interrupted
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import POLL
from memrunbook.runtime.life import Ended, Life, Pause, nothing, resume, run_alone
from memrunbook.runtime.ports import Clock

H = TypeVar("H")
R = TypeVar("R")

FILES = 2
"""Open files that a life may hold: its connection and its journal."""
SPARE_FILES = 64
"""Open files that are left to everything else."""
GRACE = 1.0
"""Seconds that sleeping lives are given for their end when the calling thread is torn away."""


def each(
    hosts: Sequence[H],
    life: Callable[[H], Life[R]],
    forks: int,
    clock: Clock,
    meanwhile: Callable[[], object] = nothing,
) -> list[R]:
    """The result of each host's life, in the order of the hosts; `forks` counts those at work, not those asleep.

    `meanwhile` is done once, when a life waits for the first time; where none waits, never. When a person asks to stop
    (the clock raises Interrupted), that is thrown into every life that waits or will. When a life raises, no further
    one begins, those that have begun go on to their end, and the first error in the order of the hosts is raised.
    A single life is lived in this thread, so that Ctrl-C reaches it.
    """
    lives = [life(host) for host in hosts]
    if len(lives) == 1:
        return [run_alone(lives[0], clock, meanwhile)]
    return _Fleet(lives, min(forks, len(lives)), clock, meanwhile).run()


def _room() -> int:
    """How many lives may be open at once, by the limit of open files."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else max(1, (limit - SPARE_FILES) // FILES)


class _Fleet(Generic[R]):
    """The calling thread alone knows who sleeps and who is next; a worker resumes what it is handed and tells."""

    def __init__(self, lives: list[Life[R]], forks: int, clock: Clock, meanwhile: Callable[[], object]) -> None:
        self._lives = lives
        self._forks = forks
        self._clock = clock
        self._meanwhile = meanwhile
        self._unbegun = deque(range(len(lives)))
        self._asleep: list[tuple[float, int]] = []  # a heap: when (monotonic seconds), and whose place
        self._at_work = 0
        self._room = _room()
        self._stopping = False
        self._results: dict[int, R] = {}
        self._errors: dict[int, BaseException] = {}
        self._handed: queue.SimpleQueue[tuple[int, Callable[[], object]] | None] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[tuple[int, object, Instant]] = queue.SimpleQueue()

    def run(self) -> list[R]:
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(self._forks)]
        for worker in workers:
            worker.start()
        try:
            while self._living:
                self._hand_out()
                self._listen()
        except BaseException:
            self._abandon()
            raise
        finally:
            for _ in workers:
                self._handed.put(None)
        for worker in workers:
            worker.join()
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[place] for place in range(len(self._lives))]

    def _work(self) -> None:
        while (handed := self._handed.get()) is not None:
            place, go_on = handed
            outcome: object
            try:
                outcome = go_on()
            except BaseException as error:  # noqa: BLE001  raised again by the calling thread
                outcome = error
            self._told.put((place, outcome, self._clock.now()))

    @property
    def _living(self) -> bool:
        return bool(self._unbegun or self._asleep or self._at_work)

    def _hand_out(self) -> None:
        """Who has waited long enough goes on first, so that an interval is as long as was asked; then others begin."""
        now = self._clock.now().monotonic
        while self._at_work < self._forks:
            if self._asleep and (self._stopping or self._asleep[0][0] <= now):
                place = heapq.heappop(self._asleep)[1]
                self._hand(place, partial(resume, self._lives[place], Interrupted() if self._stopping else None))
            elif self._unbegun and len(self._asleep) + self._at_work < self._room:
                place = self._unbegun.popleft()
                self._hand(place, partial(resume, self._lives[place]))
            else:
                return

    def _hand(self, place: int, go_on: Callable[[], object]) -> None:
        self._at_work += 1
        self._handed.put((place, go_on))

    def _listen(self) -> None:
        """Waits until a worker tells something, somebody is due, or a person asks to stop."""
        left = max(0.0, self._asleep[0][0] - self._clock.now().monotonic) if self._asleep else POLL
        if not self._stopping:
            try:
                self._clock.sleep(0.0 if self._at_work else left)
            except Interrupted:
                self._stopping = True
                return
        if self._at_work:
            full = self._at_work == self._forks  # then whoever is due must wait for one of them
            with suppress(queue.Empty):
                self._hear(*self._told.get(timeout=POLL if full else min(left, POLL)))

    def _hear(self, place: int, outcome: object, at: Instant) -> None:
        self._at_work -= 1
        if isinstance(outcome, Pause):
            heapq.heappush(self._asleep, (at.monotonic + outcome.seconds, place))
            if not self._stopping:
                self._begin_meanwhile()
        elif isinstance(outcome, Ended):
            self._results[place] = outcome.result
        elif isinstance(outcome, BaseException):
            self._errors[place] = outcome
            self._unbegun.clear()

    def _begin_meanwhile(self) -> None:
        if self._meanwhile is not nothing:
            self._hand(len(self._lives), self._meanwhile)
            self._meanwhile = nothing

    def _abandon(self) -> None:
        """Lets the lives that sleep come to their end, as far as that is quick; those at work end with the process."""
        self._unbegun.clear()
        self._stopping = True
        deadline = time.monotonic() + GRACE
        while self._living and time.monotonic() < deadline:
            self._hand_out()
            self._listen()
