"""Has workers read and judge hosts, some hosts a part; what they tell is kept as if it had been found here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from msgspec import Struct

from memrunbook.app.carried_errors import CarriedError, error_of
from memrunbook.app.following import EVERY, PartsFollowed
from memrunbook.app.notice import Notice
from memrunbook.app.sites import Alone, nobody, refuse_kept_here, refuse_local
from memrunbook.app.stored import Stored
from memrunbook.core.errors import Interrupted, JournalError, RunbookError, Unreachable
from memrunbook.core.host import Host
from memrunbook.core.reading.reached import Reached
from memrunbook.core.run.placed import LOOKS, PlacedLook, PlacedPart, site_of
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.jobs import Job, Jobs
from memrunbook.state.run_directory import new_run_id
from memrunbook.state.store.orders import Orders, PartSeen

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd

R = TypeVar("R")
TOGETHER = 50
"""Hosts in a part: as many as a worker reads in one interval between two samples."""
LETTERS = 8


class _Told(Struct, frozen=True):
    host: str
    look: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class LooksTold(Generic[R]):
    """What is kept of a host of which a worker tells, and of one that was not read; who is told; what ends it early."""

    keep: Callable[[Host, bytes], R]
    fail: Callable[[Reached], R]
    notice: Notice
    stop: threading.Event


def look_elsewhere(hosts: Sequence[Host], placed: PlacedLook, stored: Stored, listening: LooksTold[R]) -> list[R]:
    """What is kept of each host, in their order, as soon as a worker of its site has told it.

    A host whose site has no worker is unreachable; once `stop` is set those that were not read carry Interrupted.
    UsageError for a host that is another one on each node, and where the store is no server.
    """
    refuse_kept_here(placed.runbook, placed.parameters)
    refuse_local(hosts)
    jobs = stored.jobs()
    with closing(stored.open()) as store:
        return _Looking(hosts, placed, Orders(store), jobs, listening).kept()


@dataclass
class _Looking(Generic[R]):
    hosts: Sequence[Host]
    placed: PlacedLook
    orders: Orders
    jobs: Jobs
    listening: LooksTold[R]
    order: str = field(init=False)
    following: PartsFollowed = field(init=False)
    _parts: dict[str, PlacedPart] = field(default_factory=dict, init=False)
    _wished: bool = field(default=False, init=False)
    _due: list[PlacedPart] = field(default_factory=list, init=False)
    _kept: dict[str, R] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        now = SystemClock().now()
        self.order = new_run_id(now, LETTERS)
        self.following = PartsFollowed(self.orders, self.order, self.listening.notice.remark)
        for place, together in enumerate(_together(self.hosts)):
            part = PlacedPart(id=new_run_id(now, LETTERS), place=place, hosts=tuple(together))
            self._parts[part.id] = part

    def kept(self) -> list[R]:
        """Places the order, follows it to its end, and forgets it: what it told is here."""
        parts = list(self._parts.values())
        self.orders.place(self.order, self.placed, parts, SystemClock().now().utc)
        try:
            self.following.part("")
            self._queue()
            self._follow()
        finally:
            with suppress(RunbookError):
                self.orders.forget(self.order)
        return [self._kept[host.name] for host in self.hosts]

    def _queue(self) -> None:
        there = {site: self.following.workers(site) for site in {part.site for part in self._parts.values()}}
        for part in self._parts.values():
            if not there[part.site]:
                self._unread(part, _alone(part.site))
        self._due = [part for part in self._parts.values() if there[part.site]]

    def _hand_over(self) -> None:
        """Hands them to the workers; again where the store did not answer, until it has them."""
        with suppress(JournalError):
            self.jobs.defer([Job(part=part.id, site=f"{LOOKS}{part.site}") for part in self._due])
            self._due = []

    def _follow(self) -> None:
        waiting = {part.id: Alone() for part in self._parts.values() if part.hosts[0].name not in self._kept}
        while waiting:
            if self._due and not self.listening.stop.is_set():
                self._hand_over()
            for part in [self._parts[name] for name in waiting]:
                seen = self.following.part(part.id)
                self._hear(part)
                if seen is not None and self._over(part, waiting[part.id], seen):
                    self._hear(part)
                    self._end(part, seen)
                    del waiting[part.id]
            self._rest(waiting)

    def _rest(self, waiting: Collection[str]) -> None:
        """Waits a moment; after Ctrl-C what was not begun is taken back, and what is under way ends soon."""
        stop = self.listening.stop
        stopped = stop.is_set()
        with suppress(Interrupted):
            SystemClock(stop).sleep(EVERY)
        if stop.is_set() and not self._wished:
            with suppress(JournalError):  # the store is away: it is asked again
                self.orders.stop(waiting)
                self._wished = True
            self.following.at_once()
        if stopped:
            threading.Event().wait(EVERY)

    def _hear(self, part: PlacedPart) -> None:
        for line in self.following.lines(part.id):
            told = msgspec.json.decode(line, type=_Told)
            host = next((one for one in part.hosts if one.name == told.host), None)
            if host is not None and host.name not in self._kept:  # a later attempt reads it again
                self._kept[host.name] = self.listening.keep(host, bytes(told.look))
                self.listening.notice.ended(host.name, "read")

    def _over(self, part: PlacedPart, alone: Alone, seen: PartSeen) -> bool:
        if seen.state in ("ended", "withdrawn"):
            return True
        if seen.state == "waiting" and alone.for_long(self.following.workers(part.site)):
            with suppress(JournalError):  # the store is away: it is asked again
                self.orders.stop([part.id])
        return False

    def _end(self, part: PlacedPart, seen: PartSeen) -> None:
        error: RunbookError = Interrupted("not read") if self.listening.stop.is_set() else _alone(part.site)
        if seen.result:
            error = error_of(msgspec.json.decode(seen.result, type=CarriedError))
        if isinstance(error, Interrupted) and len(self.hosts) == 1:
            raise error
        self._unread(part, error)

    def _unread(self, part: PlacedPart, error: RunbookError) -> None:
        for host in part.hosts:
            if host.name not in self._kept:
                self._kept[host.name] = self.listening.fail(Reached(host, error=error))
                ended: HostEnd = "interrupted" if isinstance(error, Interrupted) else "unreachable"
                self.listening.notice.ended(host.name, ended, error.message)


def _together(hosts: Sequence[Host]) -> Iterator[Sequence[Host]]:
    """The hosts of each site, some at a time."""
    by_site: dict[str, list[Host]] = {}
    for host in hosts:
        by_site.setdefault(site_of(host), []).append(host)
    for same in by_site.values():
        for begin in range(0, len(same), TOGETHER):
            yield same[begin : begin + TOGETHER]


def _alone(site: str) -> Unreachable:
    why, hint = nobody(site)
    return Unreachable(why, hint=hint)
