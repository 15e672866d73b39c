"""Reads hosts for the use cases that judge them: who is asked, how often, and what is known of them beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import SILENT, Notice
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import HostError, RunbookError, SessionLost, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.runtime.life import nothing

if TYPE_CHECKING:
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.runtime.handled import Handled
    from memrunbook.runtime.life import Life

T = TypeVar("T")

WATCH_EVERY = 10.0
WATCH_LEAST, WATCH_MOST = 10.0, 3600.0
REPLAY, RECORDED_MOST = "replay", 4000
"""A recording is read to its end, without waiting: it has the readings that it has."""
WATCH_READINGS = 9
"""A trend needs eight readings; a short watch takes this many, closer together."""


@dataclass(frozen=True, kw_only=True)
class ReadArguments:
    """Facts that are read of hosts.

    `facts` is asked for when the first connection is being made: what loads meanwhile costs nobody time. `work` is done
    while the hosts wait between two samples. `stop` ends every wait. With `first_look` the notice is told the first
    sample of each host, where it wants to know.
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

    It is said as soon as that host has been read, in whichever thread that is. Interrupted once `stop` is set.
    """
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.runtime.fleet import each

    refuse_twins(asked.hosts)
    asked.connectors.check(asked.hosts)
    if any(host.transport != REPLAY for host in asked.hosts):
        asked.notice.reading(asked.hosts, asked.sampling.count, asked.sampling.every, watching=asked.watching)
    try:
        clock = SystemClock(asked.stop)
        return each(asked.hosts, lambda host: _said(asked, host, said), asked.connectors.forks, clock, asked.work)
    finally:
        asked.notice.read()


def _said(asked: ReadArguments, host: Host, said: Callable[[Reached], T]) -> Life[T]:
    reached = yield from _read(asked, host)
    return said(reached)


def _read(asked: ReadArguments, host: Host) -> Life[Reached]:
    from memrunbook.runtime.clock import SystemClock

    clock = SystemClock(asked.stop)
    clock.sleep(0.0)  # after Ctrl-C no host is entered any more
    try:
        session = asked.connectors.connector(host).connect()
    except RunbookError as error:
        return Reached(host, error=error)
    try:
        from memrunbook import catalog
        from memrunbook.runtime.collect import Collector
        from memrunbook.runtime.services import with_policy

        collector = Collector(
            host,
            session,
            clock,
            catalog.facts(),
            patience=asked.connectors.reach.read_patience,
            on_first=asked.notice.first if asked.first_look and asked.notice.first_look else None,
        )
        count, every = asked.sampling.count, float(asked.sampling.every)
        if host.transport == REPLAY and count > 1:
            count, every = RECORDED_MOST, 0.0
        snapshot = yield from collector.collect(sorted(asked.facts()), count=count, every=every)
        if snapshot.lost:
            return Reached(host, error=SessionLost("the connection was lost while the host was being read"))
        return Reached(host, with_policy(snapshot, asked.policy))
    except HostError as error:
        return Reached(host, error=error)
    finally:
        session.close()


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
