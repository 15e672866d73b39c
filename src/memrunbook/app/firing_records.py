"""What a scheduler writes into the store: that it is there, how firings ended, which schedule is paused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from memrunbook.app.firing import FiringResult, Surroundings
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError, in_a_line
from memrunbook.core.run.notification import Notification
from memrunbook.core.schedule import Due, Moment
from memrunbook.core.units import format_duration
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.ports import Clock
from memrunbook.state.paths import prepare
from memrunbook.state.store import firings, sightings
from memrunbook.state.store.changes import Store
from memrunbook.state.store.firings import Firing, FiringEnd

Tells = Callable[[Sequence[Notification]], None]
"""Tells somebody; raises nothing."""
Says = Callable[[str], None]
"""Takes a line for the log."""


@dataclass(frozen=True)
class FiringRecords:
    """The store of one scheduler, opened anew for each use: a file that was moved away is written by nobody."""

    around: Surroundings
    tell: Tells
    say: Says
    node: str
    clock: Clock
    late: dict[str, tuple[FiringResult, float]] = field(default_factory=dict)
    """By the ids of firings how they ended and when, while the store does not take it."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def open(self) -> Iterator[Store]:
        """The store; RunbookError where it does not answer."""
        around = self.around
        with closing(Stored(prepare(around.state), around.library.config(), around.store).open()) as store:
            yield store

    def beat(self, store: Store, ids: Iterable[str], now: float) -> None:
        """The scheduler is there, and so are these firings; that it goes again is told where its silence was."""
        before = firings.scheduling(store, self.node, now)
        if before is not None and before.told:
            silence = format_duration(now - before.at)
            verdict = f"the scheduler on {before.owner} goes again, after {silence} of silence"
            key, command = f"scheduler:{before.owner}", self.around.command("schedule", "firings")
            self.tell([Notification(occasion="restored", key=key, at=now, verdict=verdict, command=command)])
        firings.beat(store, ids, now)

    def given_up(self, found: Sequence[Firing]) -> None:
        """Firings whose scheduler died in the middle: somebody looks at what they left open.

        All are told at once: each telling may wait for dead receivers, and a look must end within the watchdog's time.
        """
        for one in found:
            self.say(f"{one.id}: interrupted: {one.why}")
        now, command = self.clock.now().utc, self.around.command("runs")
        told = [
            Notification(
                occasion="failed",
                key=f"schedule:{one.schedule}::interrupted",
                at=now,
                schedule=one.schedule,
                verdict=f"schedule {one.schedule}: a firing was cut off: {one.why}",
                evidence=(f"firing {one.id}", "what it had begun is open: runbook runs shows it"),
                command=command,
            )
            for one in found
        ]
        if told:
            self.tell(told)

    def not_begun(self, job: ScheduledRun, moment: Moment, why: str) -> FiringResult:
        """How a firing ended that was claimed and could not be begun, and what is told of that."""
        told = Notification(
            occasion="failed",
            key=f"schedule:{job.name}::not-begun",
            at=self.clock.now().utc,
            schedule=job.name,
            runbook=job.runbook,
            verdict=f"schedule {job.name}: not begun: {why}",
            evidence=(f"firing {moment.id}", f"set in {job.where}"),
            command=self.around.command("schedule", "firings", job.name),
        )
        return FiringResult("failed", f"not begun: {why}", tell=(told,))

    def missed(self, store: Store, found: Due, now: float, why: Mapping[str, str]) -> None:
        """Records firings that nobody carried out in time, by their ids why; says so of those that are new."""
        if new := firings.record_missed(store, found, now, why):
            first, since = found.missed[0], found.missed[0].id.partition("@")[2]
            said = "; ".join(dict.fromkeys(why.values()))
            self.say(f"{first.schedule}: {new + found.before} missed since {since}: {said}")

    def drop(self, store: Store, rest: Sequence[Moment], why: str) -> None:
        """Records those that would have been caught up behind one that came to nothing: they are decided, too."""
        if rest:
            whys = dict.fromkeys((one.id for one in rest), why)
            new = firings.record_missed(store, Due(missed=tuple(rest)), self.clock.now().utc, whys)
            self.say(f"{rest[0].schedule}: {new} more not caught up: {why}")

    def finish(self, job: ScheduledRun, moment: Moment, ending: FiringResult) -> None:
        """Says how a firing ended, keeps it, pauses a schedule that failed too often, and tells who is to be told."""
        run = f" (run {ending.run})" if ending.run else ""
        self.say(f"{moment.id}: {ending.state}{run}{f': {ending.why}' if ending.why else ''}")
        failures, told = self.ended(moment, ending), list(ending.tell)
        if job.pause_after and failures >= job.pause_after and ending.state == "failed":
            told.append(self.pause(job, failures))
        if told:
            self.tell(told)

    def ended(self, moment: Moment, ending: FiringResult) -> int:
        """Keeps how a firing ended; how many of its schedule failed in a row by now, 0 where that cannot be kept yet.

        Then it is kept as soon as the store takes it.
        """
        try:
            with self._turn, self.open() as store:
                self.late[moment.id] = ending, self.clock.now().utc
                return self._keep(store, moment.id)
        except RunbookError as error:
            self.late.setdefault(moment.id, (ending, self.clock.now().utc))
            self.say(f"{moment.id}: how it ended cannot be kept yet: {in_a_line(error)}")
        return 0

    def keep_late(self, store: Store) -> None:
        """Keeps how firings ended while the store did not answer."""
        with self._turn:
            for name, (found, _) in list(self.late.items()):
                self._keep(store, name)
                self.say(f"{name}: how it ended is kept now: {found.state}")

    def _keep(self, store: Store, name: str) -> int:
        found, at = self.late[name]
        sightings.keep_shadows(store, found.shadows)
        sightings.keep_sightings(store, found.sightings)
        self.late[name] = found._replace(shadows=(), sightings=()), at
        failures = firings.end(store, name, FiringEnd(found.state, found.run, found.why), at)
        del self.late[name]
        return failures

    def pause(self, job: ScheduledRun, failures: int) -> Notification:
        """Pauses a schedule that failed too often; what is told of that."""
        now, why = self.clock.now().utc, f"{failures} firing{'s' * (failures != 1)} failed in a row"
        try:
            with self.open() as store:
                firings.pause(store, job.name, now, why)
            self.say(f"{job.name}: paused: {why}")
        except RunbookError as error:
            self.say(f"{job.name}: cannot be paused: {in_a_line(error)}")
        return Notification(
            occasion="failed",
            key=f"schedule:{job.name}::paused",
            at=now,
            schedule=job.name,
            runbook=job.runbook,
            verdict=f"schedule {job.name} is paused: {why}",
            evidence=(f"set in {job.where}",),
            command=self.around.command("schedule", "resume", job.name),
        )

    def stopped(self) -> None:
        """It stopped as it was told to."""
        try:
            with self.open() as store:
                self.keep_late(store)
                firings.scheduling(store, self.node, self.clock.now().utc, stopped=True)
        except RunbookError as error:
            self.say(f"the store does not know that the scheduler stopped: {in_a_line(error)}")
