"""The scheduler as a process: looks, sleeps until something is due, heeds signals, tells systemd that it lives."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING

from memrunbook.app.connectors import Connectors
from memrunbook.cli.naming import named_hosts
from memrunbook.cli.service_manager import ServiceManager
from memrunbook.cli.streams import while_heard
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import DocumentError, RunbookError
from memrunbook.core.run.notification import Notification
from memrunbook.core.text import clean
from memrunbook.core.units import format_duration

if TYPE_CHECKING:
    from memrunbook.app.firing_records import Tells
    from memrunbook.app.scheduler import Scheduler
    from memrunbook.core.host import Host
    from memrunbook.documents.schedules import ScheduledRun, Schedules

NAP = 0.2
"""Seconds after which a signal is heeded at the latest."""
LONGEST_LINE = 2000


def say(words: str) -> None:
    """A line of the scheduler's log."""
    while_heard(sys.stderr.write)(f"{clean(words, LONGEST_LINE)}\n")
    while_heard(sys.stderr.flush)()


def tell_on_stderr(notifications: Sequence[Notification]) -> None:
    """Tells whoever reads the log: what it is about first, then what it rests on, and what to type."""
    for one in notifications:
        say(f"NOTICE {one.occasion}: {one.verdict}")
        for words in one.evidence:
            say(f"  {words}")
        if one.command:
            say(f"  to go on: {one.command}")


@dataclass(frozen=True)
class Reaching:
    """The hosts of a schedule as the inventory says by now, reached as the command line and config.yaml say."""

    targets: Targets
    usual: Connectors

    def __call__(self, job: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        """The hosts and the ways there; RunbookError where that cannot be told."""
        targets = replace(self.targets, host=job.hosts, inventory=job.inventory or self.targets.inventory)
        reach = self.usual.reach
        if job.patience is not None:
            reach = replace(reach, patience=job.patience, read_patience=job.patience)
        return named_hosts(targets), Connectors(reach, self.usual.forks)


@dataclass
class Loop:
    """`runbook schedule run`: `load` reads schedules.yaml anew; a broken new file keeps the old one.

    `beside` is what is done after each look, besides.
    """

    scheduler: Scheduler
    load: Callable[[], Schedules]
    beside: Callable[[], None]
    manager: ServiceManager = field(default_factory=ServiceManager.usual)
    _reload: bool = field(default=False, init=False)

    def run(self) -> None:
        """Until it is told to stop; then what is under way ends first."""
        scheduler = self.scheduler
        with _hang_ups(self._wants_reload):
            scheduler.look()
            say(f"scheduling {self._status()}")
            self.manager.ready(self._status())
            self.beside()
            while not scheduler.around.stop.is_set():
                self._nap(scheduler.until_next())
                if self._reload:
                    self._load()
                if not scheduler.around.stop.is_set():
                    scheduler.look()
                    self.beside()
            self.manager.stopping()
            say("stopping: nothing new is begun")
            scheduler.settle()
            scheduler.records.stopped()

    def _wants_reload(self) -> None:
        self._reload = True

    def _nap(self, seconds: float) -> None:
        every = self.manager.watchdog / 3 if self.manager.watchdog else seconds
        until = time.monotonic() + seconds
        word = float("-inf")
        while not self.scheduler.around.stop.is_set() and not self._reload:
            now = time.monotonic()
            if now - word >= every:
                self.manager.alive(self._status())
                word = now
            if now >= until:
                return
            time.sleep(min(NAP, until - now))

    def _load(self) -> None:
        self._reload = False
        self.manager.reloading()
        try:
            found = self.load()
        except RunbookError as error:
            first = error.problems[0] if isinstance(error, DocumentError) else None
            what = f"{first.where}: {first.message}" if first else str(error)
            say(f"not reloaded, the schedules from before go on: {what}")
        else:
            self.scheduler.schedules = found
            say(f"reloaded: {self._status()}")
            tell_broken(found, self.scheduler.tell, self.scheduler.clock.now().utc)
        self.manager.ready(self._status())

    def _status(self) -> str:
        schedules = self.scheduler.schedules
        broken = f", {len(schedules.broken)} broken" if schedules.broken else ""
        coming = self.scheduler.next_start()
        soon = f"; next in {format_duration(coming)}" if coming is not None else "; nothing comes"
        return f"{len(schedules.jobs)} schedules{broken}{soon}"


def tell_broken(schedules: Schedules, tell: Tells, now: float) -> None:
    """Which schedules cannot be used, and why: the others go on, and somebody is told."""
    told = [
        Notification(
            occasion="failed",
            key=f"schedule:{name}::broken",
            at=now,
            schedule=name,
            verdict=f"schedule {name} is not used: {problems[0].where}: {problems[0].message}",
            evidence=tuple(words for one in problems for words in (f"{one.where}: {one.message}", one.hint) if words),
            command=shlex.join(["runbook", "validate", str(schedules.path)]),
        )
        for name, problems in schedules.broken.items()
    ]
    if told:
        tell(told)


@contextmanager
def _hang_ups(wanted: Callable[[], None]) -> Iterator[None]:
    """While it lasts SIGHUP asks for a reload."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        wanted()

    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
