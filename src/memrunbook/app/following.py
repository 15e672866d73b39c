"""Follows what workers tell of a run that they carry out, for all its hosts together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from memrunbook.core.errors import JournalError
from memrunbook.runtime.clock import SystemClock

if TYPE_CHECKING:
    from memrunbook.state.store.orders import Orders, PartSeen, WorkerSeen

EVERY = 0.3
"""Seconds between two looks: as long as a line of output is behind."""
BEAT, WORKERS = 5.0, 5.0
"""Seconds between two words that somebody waits, and between two looks at who works."""
BUSY = 1.0
"""Seconds between two looks at who is at work on hosts that wait."""
AGAIN = 1.0
AWAY = "the store does not answer: what the workers do is not seen meanwhile, and nothing new is begun"
BACK = "the store answers again"


@dataclass
class PartsFollowed:
    """How far the parts of an order are; safe with several threads, of which one asks the store for all.

    A store that is `away` is waited for: `remark` is told so once.
    """

    orders: Orders
    order: str
    remark: Callable[[str, str], object]
    _seen: dict[str, PartSeen] = field(default_factory=dict, init=False)
    _told: dict[str, int] = field(default_factory=dict, init=False)
    _new: dict[str, deque[bytes]] = field(default_factory=dict, init=False)
    _busy: Mapping[str, str] = field(default_factory=dict, init=False)
    _workers: list[WorkerSeen] = field(default_factory=list, init=False)
    _last: float = field(default=-1e9, init=False)
    _beat: float = field(default=-1e9, init=False)
    _asked: float = field(default=-1e9, init=False)
    _looked: float = field(default=-1e9, init=False)
    away: bool = field(default=False, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def part(self, part: str) -> PartSeen | None:
        """How far a part is; None before the first look at it."""
        self._look()
        return self._seen.get(part)

    def lines(self, part: str) -> list[bytes]:
        """What is new of a part, in its order: a line of JSON each, and each is told once."""
        with self._turn:
            new = self._new.pop(part, ())
        return list(new)

    def records(self, part: str) -> list[dict[str, Any]]:
        """The same of a run: the records of its journal."""
        return [msgspec.json.decode(line) for line in self.lines(part)]

    def workers(self, site: str) -> list[WorkerSeen]:
        """The workers of a site that are there by now."""
        self._look()
        now = SystemClock().now().utc
        return [one for one in self._workers if site in one.sites and one.there(now)]

    def busy(self, part: str) -> str:
        """What a part waits for that nobody has begun: another run is at work on its host; empty where none is."""
        seen = self._seen.get(part)
        return self._busy.get(part, "") if seen is not None and seen.state == "waiting" else ""

    def at_once(self) -> None:
        """The next look is made now: something was just done that it shows."""
        self._last = -1e9

    def _look(self) -> None:
        if not self._turn.acquire(blocking=False):
            return  # whoever has the turn looks for all
        try:
            now = SystemClock().now().monotonic
            if now - self._last >= (AGAIN if self.away else EVERY):
                self._ask(now)
                self._last = SystemClock().now().monotonic
        finally:
            self._turn.release()

    def _ask(self, now: float) -> None:
        try:
            self._ask_store(now)
        except JournalError as error:
            if not self.away:
                self.remark(AWAY, error.hint)
            self.away = True
        else:
            if self.away:
                self.remark(BACK, "")
            self.away = False

    def _ask_store(self, now: float) -> None:
        utc = SystemClock().now().utc
        if now - self._beat >= BEAT:
            self.orders.beat(self.order, utc)
            self._beat = now
        if now - self._asked >= WORKERS:
            self._workers, self._asked = self.orders.workers(), now
        seen = {one.id: one for one in self.orders.look(self.order)}
        newer = {part: self._told.get(part, 0) for part, one in seen.items() if one.told > self._told.get(part, 0)}
        until = {part: seen[part].told for part in newer}
        for part, lines in self.orders.told(newer, until).items():
            self._new.setdefault(part, deque()).extend(lines)
        self._told |= until
        self._seen = seen
        if now - self._looked >= BUSY and any(one.state == "waiting" for one in seen.values()):
            self._busy, self._looked = self.orders.busy(self.order), now
