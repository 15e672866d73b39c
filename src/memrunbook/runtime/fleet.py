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
from pathlib import Path
from typing import Generic, TypeVar

from memrunbook.core.errors import Interrupted
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import POLL
from memrunbook.runtime.heap import share_heap
from memrunbook.runtime.life import Finished, Life, Pause, nothing, resume, run_alone
from memrunbook.runtime.ports import Clock

H = TypeVar("H")
R = TypeVar("R")

FILES = 5
"""Open files that a life may hold: those of its connection (that to a jump host, or pipes to a client), its journal."""
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

    A life that pauses `at_work` keeps its place: so no more than `forks` hosts are in the middle of being changed.
    `meanwhile` is done once, when a life waits for the first time; where none waits, never. When a person asks to stop
    (the clock raises Interrupted), that is thrown into every life that waits or will. When a life raises, no further
    one begins, those that have begun go on to their end, and the first error in the order of the hosts is raised.
    A single life is lived in this thread, so that Ctrl-C reaches it.
    """
    lives = [life(host) for host in hosts]
    if len(lives) == 1:
        return [run_alone(lives[0], clock, meanwhile)]
    share_heap()
    return _Fleet(lives, min(forks, len(lives)), clock, meanwhile).run()


def _room() -> int:
    """How many lives may be open at once, by the limit of open files and those that are open already."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(1, (limit - _open_files() - SPARE_FILES) // FILES)


def _open_files() -> int:
    with suppress(OSError):
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    return 0


Sleeper = tuple[float, int]
"""When a life is due (monotonic seconds), and its place among the hosts."""


class _Crew:
    """Workers: each does what it is handed, and tells whose it was, what came of it, and when. They end with Python."""

    def __init__(self, size: int, clock: Clock) -> None:
        self._clock = clock
        self._handed: queue.SimpleQueue[tuple[int, Callable[[], object]] | None] = queue.SimpleQueue()
        self.told: queue.SimpleQueue[tuple[int, object, Instant]] = queue.SimpleQueue()
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]
        for worker in self._workers:
            worker.start()

    def hand(self, place: int, go_on: Callable[[], object]) -> None:
        self._handed.put((place, go_on))

    def dismiss(self) -> None:
        """Lets each worker end when it has nothing left to do."""
        for _ in self._workers:
            self._handed.put(None)

    def join(self) -> None:
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while (handed := self._handed.get()) is not None:
            place, go_on = handed
            outcome: object
            try:
                outcome = go_on()
            except BaseException as error:  # noqa: BLE001  raised again by the calling thread
                outcome = error
            self.told.put((place, outcome, self._clock.now()))


class _Fleet(Generic[R]):
    """The calling thread alone knows who sleeps and who is next: so nothing here needs a lock."""

    def __init__(self, lives: list[Life[R]], forks: int, clock: Clock, meanwhile: Callable[[], object]) -> None:
        self._lives = lives
        self._forks = forks
        self._clock = clock
        self._meanwhile = meanwhile
        self._unbegun = deque(range(len(lives)))
        self._asleep: list[Sleeper] = []  # a heap, as the next one
        self._kept: list[Sleeper] = []  # those that sleep at work
        self._at_work = 0
        self._room = _room()
        self._stopping = False
        self._wish = ""
        self._results: dict[int, R] = {}
        self._errors: dict[int, BaseException] = {}
        self._crew = _Crew(forks, clock)

    def run(self) -> list[R]:
        try:
            while self._living:
                self._hand_out()
                self._listen()
        except BaseException:
            self._abandon()
            raise
        finally:
            self._crew.dismiss()
        self._crew.join()
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[place] for place in range(len(self._lives))]

    @property
    def _living(self) -> bool:
        return bool(self._unbegun or self._asleep or self._kept or self._at_work)

    @property
    def _free(self) -> bool:
        return self._at_work + len(self._kept) < self._forks

    def _hand_out(self) -> None:
        """Who has waited long enough goes on first, so that an interval is as long as was asked; then others begin."""
        now = self._clock.now().monotonic
        while self._is_due(self._kept, now):
            self._wake(self._kept)
        while self._free:
            if self._is_due(self._asleep, now):
                self._wake(self._asleep)
            elif self._unbegun and len(self._asleep) + len(self._kept) + self._at_work < self._room:
                place = self._unbegun.popleft()
                self._hand(place, partial(resume, self._lives[place]))
            else:
                return

    def _is_due(self, sleepers: list[Sleeper], now: float) -> bool:
        return bool(sleepers) and (self._stopping or sleepers[0][0] <= now)

    def _wake(self, sleepers: list[Sleeper]) -> None:
        place = heapq.heappop(sleepers)[1]
        self._hand(place, partial(resume, self._lives[place], Interrupted(self._wish) if self._stopping else None))

    def _hand(self, place: int, go_on: Callable[[], object]) -> None:
        self._at_work += 1
        self._crew.hand(place, go_on)

    def _listen(self) -> None:
        """Waits until a worker tells something, somebody is due, or a person asks to stop."""
        sleepers = self._kept[:1] + (self._asleep[:1] if self._free else [])  # else they must wait for a place, too
        left = max(0.0, min(sleepers)[0] - self._clock.now().monotonic) if sleepers else POLL
        if not self._stopping:
            try:
                self._clock.sleep(0.0 if self._at_work else left)
            except Interrupted as wish:
                self._stopping, self._wish = True, wish.message
                return
        if self._at_work:
            with suppress(queue.Empty):
                self._hear(*self._crew.told.get(timeout=min(left, POLL)))

    def _hear(self, place: int, outcome: object, at: Instant) -> None:
        self._at_work -= 1
        if isinstance(outcome, Pause):
            sleepers = self._kept if outcome.at_work else self._asleep
            heapq.heappush(sleepers, (at.monotonic + outcome.seconds, place))
            if not self._stopping:
                self._begin_meanwhile()
        elif isinstance(outcome, Finished):
            self._results[place] = outcome.result
        elif isinstance(outcome, BaseException):
            self._errors[place] = outcome
            self._unbegun.clear()

    def _begin_meanwhile(self) -> None:
        if self._meanwhile is not nothing:  # it takes the place of a host, under a number that no host has
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
