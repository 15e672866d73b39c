"""Has workers carry out a run: each host is a part, shown here as it goes, its gates asked here, its end told here."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from memrunbook.app.asked_elsewhere import answer_text, question_of
from memrunbook.app.following import Following
from memrunbook.app.learning import learn
from memrunbook.app.under_way import Running
from memrunbook.core.errors import Interrupted, JournalError, NotBegun, RunbookError, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.run.event import Event, RunFinished
from memrunbook.core.run.flight import OpenStep, flight
from memrunbook.core.run.placed import PartResult, PlacedPart, PlacedRun, site_of
from memrunbook.core.run.record import Asked, Invoked, Recorded, decode
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Record
from memrunbook.documents.library import is_path
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.jobs import Job, Jobs
from memrunbook.runtime.life import Life, Pause
from memrunbook.state.run_directory import new_run_id
from memrunbook.state.store.orders import Orders, PartSeen

LETTERS = 8
"""Of the ids of parts: thousands are made in one second."""
SILENT = 60.0
"""Seconds that a part waits where no worker of its site is heard of."""
EVERY = 0.3


def part_ids(runbook: str, hosts: Sequence[Host]) -> dict[str, str]:
    """By host the id of the run that carries it out.

    UsageError for a host that is another one on each node, and for a runbook that is no name: workers find theirs by
    that, in folders that their own administrator has chosen.
    """
    if is_path(runbook):
        hint = "put it into a folder of runbooks on every node (--runbooks, $RUNBOOK_PATH), and name it"
        raise UsageError("workers find a runbook by its name, not by a path", where="--distribute", hint=hint)
    local = next((host for host in hosts if host.transport == LOCAL), None)
    if local is not None:
        why = f"{local.name} is another host on each control node"
        raise UsageError(why, where="--distribute", hint="name it as others reach it, or leave --distribute out")
    now, ids = SystemClock().now(), dict[str, str]()
    while len(ids) < len(hosts):
        ids.setdefault(new_run_id(now, LETTERS), "")
    return {host.name: part for host, part in zip(hosts, ids, strict=True)}


def placed(running: Running, invoked: Invoked, jobs: Jobs) -> PlacedRunning:
    """The same run, which workers carry out."""
    known = {one.name: getattr(running, one.name) for one in fields(running) if one.init}
    return PlacedRunning(**known, invoked=invoked, jobs=jobs)


@dataclass(kw_only=True)
class PlacedRunning(Running):
    """A run that workers carry out; to be placed, followed and answered from here."""

    invoked: Invoked
    jobs: Jobs
    orders: Orders = field(init=False)
    following: Following = field(init=False)
    _records: dict[str, list[dict[str, Any]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.orders = Orders(self.store)
        self.following = Following(self.orders, self.directory.run_id, self.notice.remark)

    def run(self, hosts: Sequence[Host]) -> list[HostReport]:
        """Places the order and follows it to its end; the reports in the order of the hosts."""
        from memrunbook.app.ending import end_of

        learn()  # what workers tell is decoded by several threads
        self._place(hosts)
        self.following.part("")  # from now on it is known who is there
        lives = self.notice.lives(self._one, end_of)
        try:
            return self.rolling.run(hosts, lives, self.arguments.connectors.forks, self.stop, self.notice)
        finally:
            with suppress(RunbookError):
                self.orders.end(self.directory.run_id, SystemClock().now().utc)

    def in_flight(self) -> list[OpenStep]:
        """What is under way by now, as workers have told."""
        return [opened for told in list(self._records.values()) for opened in flight(list(told)).open]

    def _place(self, hosts: Sequence[Host]) -> None:
        arguments = self.arguments
        parts = [
            PlacedPart(id=arguments.parts[host.name], place=place, hosts=(host,))
            for place, host in enumerate(arguments.hosts)
            if host in hosts
        ]
        order = self.invoked.order
        run = PlacedRun(
            invoked=msgspec.structs.replace(
                self.invoked, hosts=(), parts={}, order=order and msgspec.structs.replace(order, hosts=())
            ),
            consents=tuple(arguments.consents),
            break_lock=arguments.break_lock,
            history=arguments.history,
            waits=arguments.waits,
            unblocks=arguments.unblocks,
            lock_patience=arguments.lock_patience,
        )
        self.orders.place(self.directory.run_id, run, parts, SystemClock().now().utc)

    def _one(self, host: Host) -> Life[HostReport]:
        part, events = self.arguments.parts[host.name], list[Event]()
        watching = _Watching(self, host, part)
        try:
            self._heed(host, part)
        except RunbookError as error:
            return fold(host.name, [RunFinished("not_begun", str(error), hint=error.hint)])
        while True:
            watching.queue()
            seen = self.following.part(part)
            events += self._heard(host.name, part)
            if (end := watching.end(seen)) is not None:
                return fold(host.name, [*events, *self._heard(host.name, part), *end])
            if seen is not None and seen.question:
                watching.answer(seen)
            try:
                yield Pause(EVERY)
            except Interrupted:
                threading.Event().wait(EVERY)  # whoever asked to stop is told how it ends

    def _heed(self, host: Host, part: str) -> None:
        """NotBegun where a part shall not be begun, or by nobody can be."""
        seen, site = self.following.part(part), site_of(host)
        if seen is not None and seen.state != "waiting":
            return  # it goes on: whoever placed it was cut off
        self.rolling.heed(self.stop)
        if not self.following.workers(site):
            raise NotBegun(f"no worker of site {site} is there", hint=f"start one there: runbook worker --site {site}")

    def _heard(self, host: str, part: str) -> Iterator[Event]:
        """What is new of a host, told on, as though it were done here; the events of its run."""
        for record in self.following.records(part):
            self._records.setdefault(host, []).append(_small(record))
            if record.get("hash"):
                self.notice.recorded(record)
            if record.get("event") not in ("asked", "recorded"):
                continue
            with suppress(msgspec.ValidationError):
                envelope = decode(record, {})
                if isinstance(envelope, Recorded):
                    self.notice.asked(host, Record(envelope.record))
                    yield envelope.record
                elif isinstance(envelope, Asked):
                    self.notice.asked(host, envelope.request)


PRIORITY = 10
"""Of runs: they come before hosts that are only read."""


@dataclass
class _Watching:
    """One part: whether it is in the queue, what is answered at its gates, whether it is to be stopped or over.

    Of a store that does not answer it is not known whether it has heard: what it may hear twice is said again, until it
    answers, and never is a part called not begun that somebody may have been told to begin.
    """

    running: PlacedRunning
    host: Host
    part: str
    _queued: bool = False
    _wished: bool = False
    _answers: dict[tuple[int, str], str] = field(default_factory=dict)
    _alone_since: float | None = None

    def queue(self) -> None:
        """Hands the part to the workers of its site, where nobody has it."""
        seen = self.running.following.part(self.part)
        if self._queued or seen is None:
            return
        if seen.state == "waiting":
            job = Job(part=self.part, site=site_of(self.host), lock=f"host:{self.host.name}", priority=PRIORITY)
            with suppress(JournalError):
                [number] = self.running.jobs.defer([job])
                self.running.orders.queued({self.part: number})
                self._queued = True
        else:
            self._queued = True

    def answer(self, seen: PartSeen) -> None:
        """Asks whoever sits here, once; a question that cannot be read is answered by nobody."""
        asked = (seen.attempt, seen.question)
        if asked not in self._answers:
            try:
                answer = self.running.approver.approve(self.host.name, question_of(seen.question))
            except Interrupted:
                return  # the part is told to stop
            self._answers[asked] = answer_text(answer)
        with suppress(JournalError):
            self.running.orders.answer(seen.id, seen.attempt, self._answers[asked])
            del self._answers[asked]
            self.running.following.at_once()

    def end(self, seen: PartSeen | None) -> list[Event] | None:
        """What its end adds to what is known of it; None while it goes on."""
        if seen is None:
            return None
        if seen.state == "ended":
            self._used(seen)
            return []
        if seen.state == "withdrawn":
            return [RunFinished("not_begun", self._why())]
        if (wish_of(self.running.stop) or self._given_up(seen)) and not self._wished:
            with suppress(JournalError):
                self.running.orders.stop([self.part])
                self._wished = True
                self.running.following.at_once()
        return None

    def _given_up(self, seen: PartSeen) -> str:
        """Why a part that waits is taken back: enough others have failed, or nobody is there to do it."""
        if seen.state != "waiting":
            return ""
        if (why := self.running.rolling.failures.reached()) is not None:
            return why.message
        now, site = SystemClock().now().monotonic, site_of(self.host)
        if self.running.following.workers(site):
            self._alone_since = None
            return ""
        self._alone_since = self._alone_since or now
        return f"no worker of site {site} is there any more" if now - self._alone_since > SILENT else ""

    def _why(self) -> str:
        failures, stop = self.running.rolling.failures.reached(), wish_of(self.running.stop)
        return failures.message if failures else stop or f"no worker of site {site_of(self.host)} is there any more"

    def _used(self, seen: PartSeen) -> None:
        with suppress(msgspec.DecodeError):
            for word in msgspec.json.decode(seen.result, type=PartResult).used:
                self.running.arguments.consents.use(word)


def _small(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what was read: only what is under way is told from it."""
    answer = record.get("answer")
    if isinstance(answer, dict) and "readings" in answer:
        return {**record, "answer": {"type": answer.get("type")}}
    return dict(record)
