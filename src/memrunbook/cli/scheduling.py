"""The scheduler as a process: looks, sleeps until something is due, heeds signals, tells systemd that it lives."""

from __future__ import annotations

import datetime as dt
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
from memrunbook.app.judging_schedules import broken_told
from memrunbook.cli.naming import named_hosts
from memrunbook.cli.service_manager import ServiceManager
from memrunbook.cli.streams import while_heard
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import Problem, RunbookError, UsageError, in_a_line
from memrunbook.core.host import LOCAL
from memrunbook.core.run.notification import Notification
from memrunbook.core.text import clean
from memrunbook.core.units import MINUTE, format_duration
from memrunbook.ui.block import Line, Span, line, to_type
from memrunbook.ui.screen import Screen
from memrunbook.ui.words import plural

if TYPE_CHECKING:
    from memrunbook.app.scheduler import Scheduler
    from memrunbook.core.host import Host
    from memrunbook.documents.schedules import ScheduledRun, Schedules

NAP = 0.2
"""Seconds after which a signal is heeded at the latest."""
LONGEST_LINE = 2000


def say(words: str) -> None:
    """A line of the scheduler's log."""
    _log(line(Span(clean(words, LONGEST_LINE), whole=True)))


def _log(*lines: Line) -> None:
    while_heard(Screen("never", sys.stderr).say)(lines)


@dataclass
class Heard:
    """Says what a scheduler says, and knows whether that was anything."""

    anything: bool = False

    def __call__(self, words: str) -> None:
        """A line of its log."""
        self.anything = True
        say(words)


def nothing_due(scheduler: Scheduler) -> str:
    """For whoever looks: that nothing is due, and what comes next."""
    coming = scheduler.coming()
    if coming is None:
        return "nothing is due, and nothing comes"
    job = next(one for one in scheduler.schedules.jobs if one.name == coming.schedule)
    starts = dt.datetime.fromtimestamp(coming.starts, job.schedule.zone)
    return f"nothing is due; next: {coming.schedule} at {starts:%Y-%m-%d %H:%M:%S%z}"


def tell_on_stderr(notifications: Sequence[Notification]) -> None:
    """Tells whoever reads the log: what it is about first, then what it rests on, and what to type."""
    for one in notifications:
        say(f"NOTICE {one.occasion}: {one.verdict}")
        for words in one.evidence:
            _log(line(Span(clean(words, LONGEST_LINE), whole=True), indent=2))
        if one.command:
            _log(line("to go on: ", to_type(one.command), indent=2))


@dataclass(frozen=True)
class Reaching:
    """The hosts of a schedule as the inventory says by now, reached as the command line and config.yaml say."""

    targets: Targets
    usual: Connectors

    def __call__(self, job: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        """The hosts and the ways there; RunbookError, with its place in schedules.yaml, where that cannot be told."""
        try:
            return self._reached(job)
        except UsageError as error:
            key = {"--host": "hosts", "--inventory": "inventory"}.get(error.where)
            if key is None:
                raise
            raise UsageError(error.message, where=job.at(key), hint=error.hint) from None

    def _reached(self, job: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        targets = replace(self.targets, host=job.hosts, inventory=job.inventory or self.targets.inventory)
        reach = self.usual.reach
        if job.patience is not None:
            reach = replace(reach, patience=job.patience, read_patience=job.patience)
        hosts = named_hosts(targets)
        if targets.inventory:
            lost = next((one.name for one in hosts if one.unlisted and one.transport != LOCAL), "")
            if lost:
                hint = "runbook hosts lists the hosts and groups of the inventory"
                raise UsageError(f"the inventory has no host or group {lost!r}", hint=hint)
        return hosts, Connectors(reach, self.usual.forks)


@dataclass
class Loop:
    """`runbook schedule run`: `load` reads schedules.yaml anew; a broken new file keeps the old one.

    `beside` is what is done after each look, besides.
    """

    scheduler: Scheduler
    load: Callable[[], Schedules]
    beside: Callable[[], None]
    manager: ServiceManager = field(default_factory=ServiceManager.usual)
    broken: BrokenSchedules = field(init=False)
    _reload: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.broken = BrokenSchedules(self.scheduler)

    def run(self) -> None:
        """Until it is told to stop; then what is under way ends first."""
        scheduler = self.scheduler
        with _hang_ups(self._wants_reload):
            self.broken.look(anew=True)
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
                    self.broken.look()
                    self.beside()
            self.manager.stopping()
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
            say(f"not reloaded, the schedules from before go on: {in_a_line(error)}")
        else:
            self.scheduler.schedules = found
            self.broken.look(anew=True)
            say(f"reloaded: {self._status()}")
        self.manager.ready(self._status())

    def _status(self) -> str:
        schedules, names = self.scheduler.schedules, self.broken.by_name
        usable = sum(job.name not in names for job in schedules.jobs)
        broken = f", {len(names)} broken" if names else ""
        coming, now = self.scheduler.coming(), self.scheduler.clock.now().utc
        if self.scheduler.trouble:
            return f"{plural(usable, 'schedule')}{broken}; {self.scheduler.trouble}"
        soon = f"; next in {format_duration(max(0.0, coming.starts - now))}" if coming else "; nothing comes"
        return f"{plural(usable, 'schedule')}{broken}{soon}"


@dataclass
class BrokenSchedules:
    """Which schedules cannot be used, and why: each is told once, and that it can be used again."""

    scheduler: Scheduler
    _judged: float = field(default=float("-inf"), init=False)

    @property
    def by_name(self) -> dict[str, tuple[Problem, ...]]:
        """Why each of them cannot be used; a firing that finds out about one has told of it."""
        return self.scheduler.around.broken

    def look(self, *, anew: bool = False) -> None:
        """Judges all `anew`; else, once a minute, those that could not be used: what they name may be there by now."""
        scheduler, now = self.scheduler, self.scheduler.clock.now()
        if not anew and (not self.by_name or now.monotonic - self._judged < MINUTE):
            return
        self._judged, schedules = now.monotonic, scheduler.schedules
        again = tuple(one for one in schedules.jobs if anew or one.name in self.by_name)
        try:
            found = dict(scheduler.around.judge().judged(replace(schedules, jobs=again)).broken)
        except RunbookError as error:
            say(f"schedules cannot be judged now: {in_a_line(error)}")
            return
        before = dict(self.by_name)
        self.by_name.clear()
        self.by_name.update(found)
        command = shlex.join(["runbook", "validate", str(schedules.path)])
        fresh = [name for name, problems in found.items() if problems != before.get(name)]
        told = [broken_told(name, found[name], now.utc, command) for name in fresh]
        for name in before:
            if name not in found:
                say(f"{name}: it can be used again")
        if told:
            scheduler.tell(told)


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
