"""What a scheduler writes into the store: that it is there, how firings ended, which schedule is paused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from memrunbook.app.firing import FiringResult, Surroundings
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError
from memrunbook.core.run.notification import Notification
from memrunbook.core.schedule import Moment
from memrunbook.core.units import format_duration
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.ports import Clock
from memrunbook.state.paths import prepare
from memrunbook.state.store import firings, sightings
from memrunbook.state.store.changes import Store
from memrunbook.state.store.firings import Firing

Tells = Callable[[Sequence[Notification]], None]
"""Tells somebody; raises nothing."""
Says = Callable[[str], None]
"""Takes a line for the log."""
ATTEMPTS = 3


@dataclass(frozen=True)
class FiringRecords:
    """The store of one scheduler, opened anew for each use: a file that was moved away is written by nobody."""

    around: Surroundings
    tell: Tells
    say: Says
    node: str
    clock: Clock

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
            key, command = f"scheduler:{before.owner}", "runbook schedule firings"
            self.tell([Notification(occasion="restored", key=key, at=now, verdict=verdict, command=command)])
        firings.beat(store, ids, now)

    def given_up(self, found: Sequence[Firing]) -> None:
        """Firings whose scheduler died in the middle: somebody looks at what they left open."""
        for one in found:
            self.say(f"{one.id}: interrupted: {one.why}")
            told = Notification(
                occasion="failed",
                key=f"schedule:{one.schedule}::interrupted",
                at=self.clock.now().utc,
                schedule=one.schedule,
                verdict=f"schedule {one.schedule}: a firing was cut off: {one.why}",
                evidence=(f"firing {one.id}", "what it had begun is open: runbook runs shows it"),
                command="runbook runs",
            )
            self.tell([told])

    def ended(self, moment: Moment, ending: FiringResult) -> int:
        """Keeps how a firing ended; how many of its schedule failed in a row by now, 0 where that cannot be kept."""
        for attempt in range(ATTEMPTS):
            try:
                with self.open() as store:
                    sightings.keep_shadows(store, ending.shadows)
                    sightings.keep_sightings(store, ending.sightings)
                    found = firings.FiringEnd(ending.state, ending.run, ending.why)
                    return firings.end(store, moment.id, found, self.clock.now().utc)
            except RunbookError as error:
                self.say(f"{moment.id}: how it ended cannot be kept (attempt {attempt + 1} of {ATTEMPTS}): {error}")
        return 0

    def pause(self, job: ScheduledRun, failures: int) -> Notification:
        """Pauses a schedule that failed too often; what is told of that."""
        now, why = self.clock.now().utc, f"{failures} firings failed in a row"
        try:
            with self.open() as store:
                firings.pause(store, job.name, now, why)
            self.say(f"{job.name}: paused: {why}")
        except RunbookError as error:
            self.say(f"{job.name}: cannot be paused: {error}")
        return Notification(
            occasion="failed",
            key=f"schedule:{job.name}::paused",
            at=now,
            schedule=job.name,
            runbook=job.runbook,
            verdict=f"schedule {job.name} is paused: {why}",
            evidence=(f"set in {job.where}",),
            command=f"runbook schedule resume {job.name}",
        )

    def stopped(self) -> None:
        """It stopped as it was told to."""
        try:
            with self.open() as store:
                firings.scheduling(store, self.node, self.clock.now().utc, stopped=True)
        except RunbookError as error:
            self.say(f"the store does not know that the scheduler stopped: {error}")
