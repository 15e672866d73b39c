"""The scheduler: at each look it decides what is due, claims it in the store, and has it carried out, once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from memrunbook.app.attendance import Attendance
from memrunbook.app.firing import FiringResult, Surroundings, carry_out
from memrunbook.app.firing_records import FiringRecords, Says, Tells
from memrunbook.app.firing_stop import SCHEDULER
from memrunbook.app.learning import learn
from memrunbook.app.pending_plans import forget_plans
from memrunbook.app.sharing_plans import shared_if_it_answers
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError, in_a_line
from memrunbook.core.instant import Instant
from memrunbook.core.run.notification import Notification
from memrunbook.core.schedule import Due, Moment, due, next_firing
from memrunbook.core.units import HOUR
from memrunbook.documents.schedules import ScheduledRun, Schedules
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Clock
from memrunbook.state.store import firings
from memrunbook.state.store.changes import Store

BEATS_EVERY = 15.0
LONGEST_WAIT = 30.0
"""Seconds: so often a scheduler says that it is there, also while nothing is due."""
SHORTEST_WAIT = 0.05
NO_THREAD = "this machine starts no more threads for this user"
AT_ONCE = 8
"""So many schedules are carried out at once; others wait for one of them to end."""
RETRY = 5.0
"""Seconds until it looks again after the store did not answer."""
CROWDED_WAIT = 1.0
"""Seconds until it looks again while something is due that waits for others to end."""


@dataclass
class Scheduler:
    """One scheduler; `look` is called again and again, by one thread. `settle` waits for what is under way.

    `trouble` says why the last look could not be made.
    """

    schedules: Schedules
    around: Surroundings
    tell: Tells
    say: Says
    node: str = field(default_factory=lambda: os.uname().nodename)
    clock: Clock = field(default_factory=SystemClock)
    carries_out: Callable[[ScheduledRun, Moment, Surroundings], FiringResult] = carry_out
    records: FiringRecords = field(init=False)
    attendance: Attendance = field(default_factory=Attendance, init=False)
    _decided: dict[str, float] = field(default_factory=dict, init=False)
    _under_way: dict[str, tuple[threading.Thread, list[str]]] = field(default_factory=dict, init=False)
    _beaten: float = field(default=float("-inf"), init=False)
    _forgotten: float = field(default=float("-inf"), init=False)
    trouble: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.records = FiringRecords(self.around, self.tell, self.say, self.node, self.clock)

    def look(self) -> None:
        """Decides everything that is due by now. Without a store nothing is begun: that is said, and told once."""
        self._reap(0.0)
        try:
            with self.records.open() as store:
                self._look(store)
            if self.trouble:
                self.say("it goes on: what stood against it is over")
            self.trouble = ""
        except RunbookError as error:
            self._troubled(error)

    def until_next(self) -> float:
        """Seconds until something is due, at most `LONGEST_WAIT`; what fell due during a look is due at once."""
        if self.trouble:
            return RETRY
        coming, least = self.coming(), CROWDED_WAIT if self.attendance.crowded else SHORTEST_WAIT
        return max(least, min(LONGEST_WAIT, coming.starts - self.clock.now().utc if coming else LONGEST_WAIT))

    def coming(self) -> Moment | None:
        """The next firing that is not decided yet; None where none comes."""
        now = self.clock.now().utc
        decided = {job.name: min(self._decided.get(job.name, now), now) for job in self.schedules.jobs}
        found = [next_firing(job.schedule, decided[job.name]) for job in self.schedules.jobs]
        return min((one for one in found if one is not None), key=lambda one: one.starts, default=None)

    def settle(self) -> None:
        """Waits until all that is under way has ended, and goes on to say that it is there."""
        if self.around.stop.is_set() and self._under_way:
            self.say(f"waiting for the step in flight of {', '.join(ids[-1] for _, ids in self._under_way.values())}")
        while self._under_way:
            self._reap(0.2)
            if self.clock.now().monotonic - self._beaten >= BEATS_EVERY:
                try:
                    with self.records.open() as store:
                        self._beat(store)
                except RunbookError as error:
                    self._troubled(error)

    def _look(self, store: Store) -> None:
        now, jobs = self.clock.now(), self.schedules.jobs
        self.records.keep_late(store)
        if self._beaten < 0 and (before := firings.schedulers(store)):
            self.attendance.heard, self.attendance.stopped = before[0].at, before[0].stopped
        if now.monotonic - self._beaten >= BEATS_EVERY:
            self._beat(store)
        if now.monotonic - self._forgotten >= HOUR:
            firings.forget(store, now.utc)
            forget_plans(self.around.state, now.utc, store)
            self._forgotten = now.monotonic
        self.records.given_up(firings.give_up(store, now.utc))
        until = {name: one.decided for name, one in firings.kept(store).items()}
        found = due([job.schedule for job in jobs], until, now.utc)
        decided = [job.name for job in jobs if self._decide(store, job, found.get(job.name, Due()), now)]
        firings.decide_until(store, decided, now.utc)
        self._decided |= dict.fromkeys(decided, now.utc)
        names = [job.name for job in jobs]
        self.attendance.looked(now, names, set(names) - set(decided))

    def _beat(self, store: Store) -> None:
        now = self.clock.now()
        self._beaten = now.monotonic
        ids = [one for _, ids in self._under_way.values() for one in ids]
        self.records.beat(store, [*ids, *self.records.late], now.utc)

    def _decide(self, store: Store, job: ScheduledRun, found: Due, now: Instant) -> bool:
        """True where all that is due of a schedule is decided: not while too much else is under way."""
        if found.run and job.name not in self._under_way and len(self._under_way) >= AT_ONCE:
            return False
        if found.missed:
            why = self.attendance.whys(found, now, self._under_way, job.schedule.misfire_grace)
            self.records.missed(store, found, now.utc, why)
        if not found.run:
            return True
        first, *rest = found.run
        own = self._under_way[job.name][1][-1] if job.name in self._under_way else ""
        state = firings.claim(store, first, f"{self.node}/{os.getpid()}", now.utc, own)
        if state == "running":
            ids = [first.id]
            learn()  # others may be at work
            thread = threading.Thread(target=self._carry_out, args=(job, first, rest, ids), name=f"schedule {job.name}")
            try:
                thread.start()
            except RuntimeError:  # ulimit -u, or the pids of our control group: others still end, and go on
                self.records.finish(job, first, self.records.not_begun(job, first, NO_THREAD))
                self.records.drop(store, rest, NO_THREAD)
            else:
                self._under_way[job.name] = thread, ids
        elif state is not None:
            self.say(f"{first.id}: {state}, not carried out")
            self.records.drop(store, rest, f"{first.id}, which came before it, was {state}")
        return True

    def _carry_out(self, job: ScheduledRun, first: Moment, rest: Sequence[Moment], ids: list[str]) -> None:
        """In a thread of its own: the firing that was claimed, and after it those that are caught up."""
        self._one(job, first)
        for number, moment in enumerate(rest):
            try:
                with self.records.open() as store:
                    if self.around.stop.is_set():
                        self.records.drop(store, rest[number:], SCHEDULER)
                        return
                    state = firings.claim(store, moment, f"{self.node}/{os.getpid()}", self.clock.now().utc)
            except RunbookError as error:
                self.say(f"{moment.id}: not begun: {in_a_line(error)}")
                return
            if state == "running":
                ids.append(moment.id)
                self._one(job, moment)

    def _one(self, job: ScheduledRun, moment: Moment) -> None:
        self.say(f"{moment.id}: begins, {job.runbook} on {', '.join(job.hosts)} ({'run' if job.acts else 'plan'})")
        around, end = self.around, self.carries_out(job, moment, self.around)
        self.records.finish(job, moment, end)
        if not end.shadows:  # it kept no plans; a run shares its own
            return
        with suppress(RunbookError):  # whoever looks at what waits is told
            shared_if_it_answers(Stored(around.state, around.library.config(), around.store))

    def _reap(self, patience: float) -> None:
        for name, (thread, _) in list(self._under_way.items()):
            thread.join(patience)
            if not thread.is_alive():
                del self._under_way[name]

    def _troubled(self, error: RunbookError) -> None:
        words = in_a_line(error)
        said = f"nothing is begun: {words}"
        self.attendance.troubled(self.clock.now(), words)
        if said != self.trouble:
            self.say(said)
            verdict = f"the scheduler on {self.node} begins nothing: {words}"
            now, evidence = self.clock.now().utc, (error.hint,) if error.hint else ()
            self.tell(
                [
                    Notification(
                        occasion="failed", key="scheduler:store", at=now, verdict=verdict, evidence=evidence,
                        command=self.around.command("doctor"),
                    )
                ]
            )  # fmt: skip
        self.trouble = said
