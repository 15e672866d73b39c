"""Reads hosts for the use cases that judge them: who is asked, how often, and what is known of them beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from memrunbook.app.connectors import Connectors
from memrunbook.app.entering import LOST
from memrunbook.app.notice import SILENT, Notice
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import HostError, Interrupted, RunbookError, SessionLost, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.runtime.life import nothing

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.runtime.handled import Handled
    from memrunbook.runtime.life import Life
    from memrunbook.runtime.ports import Clock, Past, Session

T = TypeVar("T")

WATCH_EVERY = 10.0
WATCH_LEAST, WATCH_MOST = 10.0, 3600.0
REPLAY, RECORDED_MOST = "replay", 4000
"""A recording is read to its end, without waiting: it has the readings that it has."""
WATCH_READINGS = 9
"""A trend needs eight readings; a short watch takes this many, closer together."""
NOT_BEGUN, CONNECTING, BEING_READ = (
    "not begun",
    "interrupted while it was connected to",
    "interrupted while it was read",
)
"""How far a host had come that was not read to its end, in words for whoever pressed Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class ReadArguments:
    """Facts that are read of hosts.

    `facts` is asked for when the first connection is being made: what loads meanwhile costs nobody time. `work` is done
    while the hosts wait between two samples. `past` is what is known of the hosts from earlier; a recording, which is
    of another time, has none. `stop` ends every wait. With `first_look` the notice is told the first sample of each
    host, where it wants to know.
    """

    hosts: Sequence[Host]
    facts: Callable[[], Collection[str]]
    sampling: Sampling
    connectors: Connectors
    policy: ServicePolicy
    watching: bool = False
    first_look: bool = True
    notice: Notice = SILENT
    stop: threading.Event = field(default_factory=threading.Event)
    work: Callable[[], object] = nothing
    past: Past | None = None


def sampling_of(watch: float | None, usual: Sampling, hosts: Sequence[Host]) -> Sampling:
    """How many readings a judgement rests on and the seconds between them: those of a watch (seconds), else the usual.

    UsageError for a watch of a recording, and for one that is too short or too long.
    """
    if watch is None:
        return usual
    if any(host.transport == REPLAY for host in hosts):
        raise UsageError("a recording has the readings that it has", where="--watch", hint="leave it out")
    if not WATCH_LEAST <= watch <= WATCH_MOST:
        raise UsageError(f"{watch:g}s is not from 10s to 1h", where="--watch", hint="5m shows most leaks")
    apart = min(WATCH_EVERY, watch / (WATCH_READINGS - 1))
    return Sampling(int(watch / apart) + 1, Duration(apart))


def read(asked: ReadArguments, said: Callable[[Reached], T]) -> list[T]:
    """What is `said` of each host, of its snapshot or of why there is none, in the hosts' order.

    It is said as soon as that host has been read, in whichever thread that is. Once Ctrl-C was pressed, or `stop` is
    set, the hosts that had not been read carry Interrupted; one host alone raises it.
    """
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.runtime.fleet import each

    refuse_twins(asked.hosts)
    asked.connectors.check(asked.hosts)
    if any(host.transport != REPLAY for host in asked.hosts):
        asked.notice.reading(asked.hosts, asked.sampling.count, asked.sampling.every, watching=asked.watching)
    readings = _Readings(asked, said)
    try:
        return each(asked.hosts, readings.one, asked.connectors.forks, SystemClock(asked.stop), asked.work)
    except KeyboardInterrupt:
        if len(asked.hosts) == 1:
            raise
        return readings.as_far_as_known()
    finally:
        asked.notice.read()


class _Readings(Generic[T]):
    """What is said of the hosts so far: of each once, by whoever comes to its end first."""

    def __init__(self, asked: ReadArguments, said: Callable[[Reached], T]) -> None:
        self._asked = asked
        self._said = said
        self._turn = threading.Lock()
        self._begun: dict[str, Future[T]] = {}
        self._stages = {host.name: NOT_BEGUN for host in asked.hosts}

    def one(self, host: Host) -> Life[T]:
        try:
            reached = yield from self._read(host)
        except Interrupted:
            if len(self._asked.hosts) == 1:
                raise
            reached = self._cut_short(host)
        return self._end(reached)

    def as_far_as_known(self) -> list[T]:
        """Those that have been read, and the others as cut short."""
        return [self._end(self._cut_short(host)) for host in self._asked.hosts]

    def _cut_short(self, host: Host) -> Reached:
        return Reached(host, error=Interrupted(self._stages[host.name]))

    def _end(self, reached: Reached) -> T:
        with self._turn:
            first = reached.name not in self._begun
            told = self._begun.setdefault(reached.name, Future())
        if first:
            settle: Callable[[], None]
            try:
                settle = partial(told.set_result, self._said(reached))
            except BaseException as error:  # noqa: BLE001  raised by whoever asks
                settle = partial(told.set_exception, error)
            try:
                self._asked.notice.ended(reached.name, *_ended(reached))
            finally:
                settle()  # whoever waits for it says nothing in front of that
        return told.result()

    def _read(self, host: Host) -> Life[Reached]:
        from memrunbook.runtime.clock import SystemClock

        asked, clock = self._asked, SystemClock(self._asked.stop)
        clock.sleep(0.0)  # after Ctrl-C no host is entered any more
        self._stages[host.name] = CONNECTING
        asked.notice.connecting(host.name)
        try:
            session = asked.connectors.connector(host).connect()
        except Interrupted:
            raise
        except RunbookError as error:
            return Reached(host, error=error)
        self._stages[host.name] = BEING_READ
        try:
            return (yield from _snapshot(asked, host, session, clock))
        except HostError as error:
            return Reached(host, error=error)
        finally:
            session.close()


def _snapshot(asked: ReadArguments, host: Host, session: Session, clock: Clock) -> Life[Reached]:
    from memrunbook import catalog
    from memrunbook.core.run.request import ReadFacts
    from memrunbook.runtime.collect import Collector
    from memrunbook.runtime.services import with_policy

    collector = Collector(
        host,
        session,
        clock,
        catalog.facts(),
        patience=asked.connectors.reach.read_patience,
        on_first=asked.notice.first if asked.first_look and asked.notice.first_look else None,
        past=None if host.transport == REPLAY else asked.past,
    )
    facts, count, every = sorted(asked.facts()), asked.sampling.count, float(asked.sampling.every)
    if host.transport == REPLAY and count > 1:
        count, every = RECORDED_MOST, 0.0
    asked.notice.asked(host.name, ReadFacts(tuple(facts), count, every, ""))
    snapshot = yield from collector.collect(facts, count=count, every=every)
    if snapshot.lost:
        return Reached(host, error=SessionLost("the connection was lost while the host was being read", hint=LOST))
    return Reached(host, with_policy(snapshot, asked.policy))


def _ended(reached: Reached) -> tuple[HostEnd, str]:
    if reached.error is None:
        return "read", ""
    return "interrupted" if isinstance(reached.error, Interrupted) else "unreachable", reached.error.message


def seen(snapshot: Snapshot, handled: Mapping[str, Handled], names: Collection[str]) -> dict[str, Snapshot]:
    """By runbook, the snapshot as that runbook sees it: what its own resolved runs have handled is marked."""
    from memrunbook.runtime.handled import with_handled

    return {name: with_handled(snapshot, handled.get(name, {})) for name in names}


def refuse_twins(hosts: Sequence[Host]) -> None:
    """One name is one journal, one lock and one line of the report: it cannot stand for two logins."""
    names = [host.name for host in hosts]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise UsageError(
                f"{name} is named {names.count(name)} times, with different users or ports",
                where="--host",
                hint="give each a name of its own in the ssh configuration (Host, HostName, Port, User)",
            )
