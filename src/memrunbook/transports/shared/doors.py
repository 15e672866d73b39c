"""Keeps many hosts from knocking at one door at once: an sshd turns connections away while too many are not logged in.

OpenSSH's default (MaxStartups 10:30:100) refuses three in ten of them from the tenth on, more with each. A jump host,
a load balancer and a server of many names get one connection a host; each other door is passed without a wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from memrunbook.core.errors import HostError, Unreachable
from memrunbook.transports.shared.patience import TurnedAway, late

R = TypeVar("R")
Telling = Callable[[float], object]
"""Told four times a second for how many seconds one waits already; raising ends the wait."""

MOST = 8
"""Connections at one door that are not logged in yet; two of OpenSSH's ten are left to other people."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds until it is tried again by whoever was turned away."""
QUICK = 1.0
"""Seconds: a failure that took longer is that of everybody who waited meanwhile."""
_TICK = 0.25


class Door:
    """Where connections arrive. Those who wait go in in their order.

    Who fails there slowly, while nobody got in, fails for all who wait: a dead door costs a fleet one deadline. Where
    it is not `seen` whether the door failed or what is behind it, each fails for itself alone.
    """

    def __init__(self, name: str, *, seen: bool = True) -> None:
        self.name = name
        self._seen = seen
        self._lock = threading.Lock()
        self._places = MOST
        self._inside = 0
        self._queue: deque[_Ticket] = deque()
        self._got_in = 0.0

    def come(self, where: str, seconds: float, tell: Telling) -> Visit:
        """Waits for a place. Raises Unreachable where nobody got in for `seconds`, or somebody failed for all."""
        ticket = _Ticket()
        with self._lock:
            self._queue.append(ticket)
            self._call()
        try:
            self._wait(ticket, where, seconds, tell)
        except BaseException:
            self._withdraw(ticket)
            raise
        return Visit(self)

    def _wait(self, ticket: _Ticket, where: str, seconds: float, tell: Telling) -> None:
        began = time.monotonic()
        while not ticket.called.wait(_TICK):
            now = time.monotonic()
            if now - max(began, self._got_in) > seconds:
                raise late(where, f"the wait for its turn at {self.name}", now - began)
            tell(now - began)
        if ticket.error is not None:
            raise type(ticket.error)(ticket.error.message, where=where, hint=ticket.error.hint)

    def _withdraw(self, ticket: _Ticket) -> None:
        with self._lock:
            if ticket in self._queue:
                self._queue.remove(ticket)
            elif ticket.error is None:  # it was called in this very moment
                self._inside -= 1
                self._call()

    def _call(self) -> None:
        while self._queue and self._inside < self._places:
            self._inside += 1
            self._queue.popleft().called.set()

    def let_go(self, began: float, *, entered: bool, error: BaseException | None = None) -> None:
        """Takes back the place of who came at `began`, and got in or failed."""
        with self._lock:
            self._inside -= 1
            now = time.monotonic()
            if entered:
                self._got_in = now
            elif isinstance(error, TurnedAway):
                self._places = max(1, self._places - 1)  # it lets fewer in than we thought, or others come, too
            elif isinstance(error, Unreachable) and self._seen and now - began > QUICK and self._got_in < began:
                self._fail(error)
            self._call()

    def _fail(self, error: Unreachable) -> None:
        while self._queue:
            ticket = self._queue.popleft()
            ticket.error = error
            ticket.called.set()


@dataclass(eq=False)
class _Ticket:
    """One that waits: `called` once it may go in, or has failed by the `error` of another."""

    called: threading.Event = field(default_factory=threading.Event)
    error: Unreachable | None = None


class Visit:
    """A place at a door, until one is logged in or has given up; what is said after that changes nothing."""

    def __init__(self, door: Door) -> None:
        self._door: Door | None = door
        self._began = time.monotonic()

    def is_in(self) -> None:
        """The login has succeeded: the place is another's."""
        self._end(entered=True)

    def is_over(self, error: BaseException | None = None) -> bool:
        """It ended so, or is not to be waited for any longer; True where it held its place until now."""
        return self._end(entered=False, error=error)

    def _end(self, *, entered: bool, error: BaseException | None = None) -> bool:
        door, self._door = self._door, None
        if door is not None:
            door.let_go(self._began, entered=entered, error=error)
        return door is not None


@dataclass(eq=False)
class Doors:
    """The doors of all hosts of a run, by their names: for many threads."""

    _doors: dict[str, Door] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, name: str, *, seen: bool = True) -> Door:
        """The one door of this name; whether it is `seen` is told once, by who comes there first."""
        with self._lock:
            return self._doors.setdefault(name, Door(name, seen=seen))


def pass_through(
    doors: Sequence[Door], attempt: Callable[[Sequence[Visit]], R], where: str, seconds: float, tell: Telling
) -> R:
    """What comes of the attempt, made once there is a place at each of these doors, on the way there one after another.

    Who was turned away comes again. The attempt may give up each place as soon as it is through.
    """
    for pause in PAUSES:
        with suppress(TurnedAway):
            return _attempt(doors, attempt, where, seconds, tell)
        _sleep(pause, tell)
    return _attempt(doors, attempt, where, seconds, tell)


def _attempt(
    doors: Sequence[Door], attempt: Callable[[Sequence[Visit]], R], where: str, seconds: float, tell: Telling
) -> R:
    visits: dict[str, Visit] = {}
    try:
        for door in sorted(doors, key=lambda door: door.name):  # in one order for all, so that nobody waits in a ring
            visits[door.name] = door.come(where, seconds, tell)
        ordered = [visits[door.name] for door in doors]
        done = attempt(ordered)
    except BaseException as error:
        failed: BaseException | None = error if isinstance(error, HostError) and len(visits) == len(doors) else None
        for door in doors:
            if door.name in visits and visits[door.name].is_over(failed):
                failed = None  # it failed at the first door that it had not passed
        raise
    for visit in ordered:
        visit.is_in()
    return done


def _sleep(seconds: float, tell: Telling) -> None:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        tell(waited)
        time.sleep(min(_TICK, seconds - waited))
