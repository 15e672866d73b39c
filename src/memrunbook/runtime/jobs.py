"""The port of a queue: who does a part of an order, and when. What a part comes to is the journal's to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

Do = Callable[[str], object]
"""Brings a part to its end, whatever was done of it before; returning is the end of the job."""
TellFailed = Callable[[str, BaseException], object]
TellAway = Callable[[str], object]


class Job(Struct, frozen=True):
    """Bring this part to its end, at this site. Of jobs with one `lock` one is under way; the higher `priority` first.

    A job without a lock is locked by its part: nowhere is one part under way twice.
    """

    part: str
    site: str
    lock: str = ""
    priority: int = 0


class GiveBack(Exception):  # noqa: N818  what is done, not what went wrong
    """Whoever does a part cannot do it now: it is for anyone again, after so many seconds.

    Until then it keeps its place before later ones with its lock and its priority.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = max(0.0, seconds)
        super().__init__(f"given back for {self.seconds:g} s")


class Jobs(Protocol):
    """Jobs that wait for workers. JournalError where they cannot be reached, but for `work`, which waits."""

    def defer(self, jobs: Sequence[Job]) -> tuple[int, ...]:
        """Puts all of them or none, and returns their numbers; for a part that waits already, the number it has."""

    def withdraw(self, numbers: Collection[int]) -> frozenset[int]:
        """Takes back those that wait, and returns them: they will not be begun. The others are under way or ended."""

    def work(  # noqa: PLR0913  what a worker is told once
        self,
        sites: Collection[str],
        forks: int,
        do: Do,
        stop: threading.Event,
        *,
        failed: TellFailed = lambda _part, _error: None,
        away: TellAway = lambda _why: None,
    ) -> None:
        """Does jobs of these sites until `stop` is set, each in a thread, at most `forks` at a time; waits for those.

        What raises is put back, a GiveBack for its seconds, else for longer each time and `failed` is told; the same
        is done with the jobs of a worker that died. `away` is told why the queue does not answer, and "" once it does.
        `failed` is called by the thread that did the part, `away` by the one that called.
        """
