"""Has workers carry out a run: each host is a part, shown here as it goes, its gates asked here, its end told here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields

import msgspec

from memrunbook.app.asked_elsewhere import answer_text, question_of
from memrunbook.app.following import PartsFollowed
from memrunbook.app.hearing import PartsHeard
from memrunbook.app.learning import learn
from memrunbook.app.sites import Alone, nobody, refuse_local
from memrunbook.app.under_way import Running
from memrunbook.core.errors import Interrupted, JournalError, NotBegun, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.run.event import Event, RunFinished
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.placed import PartResult, PlacedPart, PlacedRun, site_of
from memrunbook.core.run.record import Invoked
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Approval
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.jobs import Job, Jobs
from memrunbook.runtime.life import Life, Pause
from memrunbook.state.run_directory import new_run_id
from memrunbook.state.store.orders import Orders, PartSeen

LETTERS = 8
"""Of the ids of parts: thousands are made in one second."""
EVERY = 0.3


def part_ids(hosts: Sequence[Host]) -> dict[str, str]:
    """By host the id of the run that carries it out; UsageError for a host that is another one on each node."""
    refuse_local(hosts)
    now, ids = SystemClock().now(), dict[str, str]()
    while len(ids) < len(hosts):
        ids.setdefault(new_run_id(now, LETTERS), "")
    return {host.name: part for host, part in zip(hosts, ids, strict=True)}


def placed(running: Running, invoked: Invoked, jobs: Jobs) -> PlacedRunning:
    """The same run, which workers carry out."""
    known = {one.name: getattr(running, one.name) for one in fields(Running) if one.init}
    return PlacedRunning(**known, invoked=invoked, jobs=jobs)


@dataclass(kw_only=True)
class PlacedRunning(Running):
    """A run that workers carry out; to be placed, followed and answered from here."""

    invoked: Invoked
    jobs: Jobs
    orders: Orders = field(init=False)
    following: PartsFollowed = field(init=False)
    heard: PartsHeard = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.orders = Orders(self.store)
        self.following = PartsFollowed(self.orders, self.directory.run_id, self.notice.remark)
        self.heard = PartsHeard(self.directory, self.notice)
        self.with_workers = self.heard.was_placed

    def run(self, hosts: Sequence[Host]) -> list[HostReport]:
        """Places the order and follows it to its end; the reports in the order of the hosts."""
        from memrunbook.app.ending import end_of

        learn()
        self.directory.told()  # from now on the ledger knows what was ordered
        self._place()
        self.heard.placed()
        self.with_workers = True
        self.following.part("")  # from now on it is known who is there
        lives = self.notice.lives(self._one, end_of)
        try:
            reports = self.rolling.run(hosts, lives, self.arguments.connectors.forks, self.stop, self.notice)
            self.heard.all_told()
            return reports
        finally:
            with suppress(RunbookError):
                if self.stop.is_set():
                    self.orders.stop(self.arguments.parts.values())
                self.orders.end(self.directory.run_id, SystemClock().now().utc)

    def count(self, seen: PartSeen) -> None:
        """Notes which consents a part has used that has ended."""
        with suppress(msgspec.DecodeError):
            for word in msgspec.json.decode(seen.result, type=PartResult).used:
                self.arguments.consents.use(word)

    def in_flight(self) -> list[OpenStep]:
        """What is under way by now, as workers have told."""
        return self.heard.in_flight()

    def _place(self) -> None:
        arguments = self.arguments
        parts = [
            PlacedPart(id=arguments.parts[host.name], place=place, hosts=(host,))
            for place, host in enumerate(arguments.hosts)
        ]
        order = self.invoked.order
        run = PlacedRun(
            invoked=msgspec.structs.replace(
                self.invoked, hosts=(), parts={}, order=order and msgspec.structs.replace(order, hosts=())
            ),
            hosts=len(arguments.hosts),
            consents=tuple(arguments.consents),
            break_lock=arguments.break_lock,
            history=arguments.history,
            waits=arguments.waits,
            unblocks=arguments.unblocks,
            lock_patience=arguments.lock_patience,
        )
        self.orders.place(self.directory.run_id, run, parts, SystemClock().now().utc)

    def _one(self, host: Host) -> Life[HostReport]:
        part = self.arguments.parts[host.name]
        watching, queued = _Watching(self, host, part), False
        while True:
            try:
                queued = queued or self._queue(host, part)
            except RunbookError as error:
                return fold(host.name, [RunFinished("not_begun", str(error), hint=error.hint)])
            seen = self.following.part(part)
            self.heard.tell(host.name, part, seen, self.following.records(part))
            if (end := watching.end(seen)) is not None:
                report = self.heard.report(host.name, part, end)
                self.heard.forget(host.name)
                return report
            if words := watching.taken_over(seen):
                self.notice.remark(words, "")
            if why := watching.waits(seen):
                self.notice.waits(host.name, why)
            if seen is not None and seen.question and watching.is_new(seen):
                self._answer(host.name, seen)
            try:
                yield Pause(EVERY)
            except Interrupted:
                threading.Event().wait(EVERY)  # whoever asked to stop is told how it ends

    def _queue(self, host: Host, part: str) -> bool:
        """Hands a part to the workers of its site; NotBegun where it shall not be begun, or by nobody can be.

        False where the store does not answer, and nobody knows whether it has the job: it is handed over again.
        """
        seen = self.following.part(part)
        if seen is not None and seen.state != "waiting":
            return True  # it goes on: whoever placed it was cut off
        self.rolling.heed(self.stop)
        site = site_of(host)
        if not self.following.workers(site):
            why, hint = nobody(site)
            raise NotBegun(why, hint=hint)
        try:
            self.jobs.defer([Job(part=part, site=site, lock=f"host:{host.name}", priority=PRIORITY)])
        except JournalError:
            return False
        return True

    def _answer(self, host: str, seen: PartSeen) -> None:
        """Asks whoever sits here; a question that cannot be read is answered by nobody."""
        try:
            question = question_of(seen.question)
            answer = self.approver.approve(host, question)
        except msgspec.MsgspecError:
            answer = Approval(SystemClock().now(), "no", how="none", why=UNREADABLE)
        except Interrupted:
            return None  # the part is told to stop
        while True:
            try:
                self.orders.answer(seen.id, seen.attempt, answer_text(answer))
            except JournalError:
                if self.stop.is_set():
                    return None  # nobody waits for it any more
                threading.Event().wait(1.0)  # what a person said is not asked once more because the store was away
            else:
                return self.following.at_once()


UNREADABLE = "its question cannot be read where the run was ordered: let every control node have the same version"
PRIORITY = 10
"""Of runs: they come before hosts that are only read."""


@dataclass
class _Watching:
    """One part: whether it is to be stopped, and whether it is over."""

    running: PlacedRunning
    host: Host
    part: str
    _wished: bool = False
    _answered: tuple[int, str] = (0, "")
    _node: str = ""
    _alone: Alone = field(default_factory=Alone)

    def end(self, seen: PartSeen | None) -> list[Event] | None:
        """What its end adds to what is known of it; None while it goes on."""
        if seen is None:
            return None
        if seen.state == "ended":
            self.running.count(seen)
            return []
        if seen.state == "withdrawn":
            return [RunFinished("not_begun", self._why())]
        if (wish_of(self.running.stop) or self._given_up(seen)) and not self._wished:
            with suppress(JournalError):  # the store is away: it is asked again
                self.running.orders.stop([self.part])
                self._wished = True
            self.running.following.at_once()
        return [self._left(seen)] if self._wished and self._nobody_is_at(seen) else None

    def taken_over(self, seen: PartSeen | None) -> str:
        """That another node goes on with it, where it was not told so yet."""
        before, self._node = self._node, seen.node if seen is not None and seen.node else self._node
        if not before or before == self._node:
            return ""
        again = "; what it had asked and not been told is asked again" if self._answered[1] else ""
        gone = f"{self.host.name}: {before} is not heard of any more, or has stopped"
        return f"{gone}; {self._node} goes on with it{again}"

    def waits(self, seen: PartSeen | None) -> str:
        """What is waited for where nothing goes on; empty where something does, or where that is not known."""
        site, following = site_of(self.host), self.running.following
        under_way = seen is not None and seen.state == "running" and not following.away
        if seen is not None and under_way and not following.workers(site):
            return f"a worker of site {site}: {seen.node} is not heard of any more"
        return following.busy(self.part)

    def _nobody_is_at(self, seen: PartSeen) -> bool:
        following = self.running.following
        return seen.state == "running" and not following.away and not following.workers(site_of(self.host))

    def _left(self, seen: PartSeen) -> RunFinished:
        """The end of a part that its worker has left in the middle, where a person here waits for no other one."""
        opened = any(one.host == self.host.name for one in self.running.heard.in_flight())
        why = f"{seen.node} is not heard of any more, and {nobody(site_of(self.host))[0]}"
        hint = f"runbook resume {self.running.directory.run_id} goes on with it once one is"
        return RunFinished("unknown" if opened else "interrupted", why, hint=hint)

    def is_new(self, seen: PartSeen) -> bool:
        """True for a question that was not put to anybody yet: what is seen may be older than the answer."""
        before, self._answered = self._answered, (seen.attempt, seen.question)
        return self._answered != before

    def _given_up(self, seen: PartSeen) -> str:
        """Why a part that waits is taken back: enough others have failed, or nobody is there to do it."""
        if seen.state != "waiting":
            return ""
        if (why := self.running.rolling.failures.reached()) is not None:
            return why.message
        site = site_of(self.host)
        return f"{nobody(site)[0]} any more" if self._alone.for_long(self.running.following.workers(site)) else ""

    def _why(self) -> str:
        failures, stop = self.running.rolling.failures.reached(), wish_of(self.running.stop)
        return failures.message if failures else stop or f"{nobody(site_of(self.host))[0]} any more"
