"""Answers what a run asks: journal the question, answer it, journal the answer, resume the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from memrunbook.core.action.action import Repeat
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import HostError, Interrupted, Refused, RunbookError, SessionLost
from memrunbook.core.reading.rules import NO_RULES, HostRules
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.cut_off import LOST
from memrunbook.core.run.event import Event, RunFinished, StepFinished
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.record import Answered, Asked, Envelope, NotAnswered, Recorded
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import (
    AskApproval,
    Asking,
    Compare,
    Compared,
    Done,
    Execute,
    Executed,
    Lock,
    Look,
    ReadFacts,
    Record,
    Request,
    Seen,
    Told,
    TookOver,
    Turn,
    Unknown,
    Unlock,
    Wait,
    Waited,
)  # fmt: skip
from memrunbook.core.text import clean
from memrunbook.runtime.brakes import StepTurn, Unbraked
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.execute import compare, execute, take_back
from memrunbook.runtime.handled import Handled, with_handled
from memrunbook.runtime.holding import HoldingRun, disarm
from memrunbook.runtime.judging import JUDGING
from memrunbook.runtime.life import Life
from memrunbook.runtime.lock import give, take
from memrunbook.runtime.machines import Machines
from memrunbook.runtime.marker import look
from memrunbook.runtime.ports import Approver, Brakes, Clock, Journal, Session
from memrunbook.runtime.redaction import redact, without_secrets
from memrunbook.runtime.services import with_policy

Watcher = Callable[[Request], None]


LOCK_STAYS = "the lock was not given back: it may stay on the host"


def _no_other() -> Session:
    raise SessionLost(LOCK_STAYS)


@dataclass
class Interpreter:
    """One run on one host. `watch` is told of every question; `stop` says who wishes that nothing more is done.

    `noted` is told of every reading. `again` opens another session to the host, or raises a HostError;
    `stays` is told why a lock that nobody needs was left there.
    `left` are the steps that runs left open on this host: a lock that one of them left behind is told with its step.
    `begun` marks a run that goes on and had begun commands on this host before it was cut off. `after` is the run that
    this one takes back: the lock that it left behind is in nobody's way, as are those of `abandoned` runs, which left
    nothing open; with `elsewhere` a shell of this very run is in nobody's way either. `machines` are those of a run on
    several hosts. `_changed` is true from the first effect of this run on, to its end.
    """

    host: str
    run_id: str
    actor: str
    collector: Collector
    session: Session
    approver: Approver
    journal: Journal
    clock: Clock
    policy: ServicePolicy = field(default_factory=ServicePolicy)
    handled: Handled = field(default_factory=dict)
    break_lock: bool = False
    runbook: str = ""
    left: Sequence[OpenStep] = ()
    begun: bool = False
    after: str = ""
    abandoned: Collection[str] = ()
    elsewhere: bool = False
    watch: Watcher = lambda _: None
    noted: Callable[[Snapshot], object] = lambda _: None
    stop: Callable[[], str] = lambda: ""
    events: list[Event] = field(default_factory=list)
    held_back: RunbookError | None = None
    brakes: Brakes = field(default_factory=Unbraked)
    rules: HostRules = NO_RULES
    machines: Machines | None = None
    again: Callable[[], Session] = _no_other
    stays: Callable[[str], object] = lambda _: None
    _locked: bool = field(default=False, init=False)
    _changed: bool = field(default=False, init=False)
    _turn: StepTurn = field(default_factory=StepTurn, init=False)

    def run(self, asking: Asking[None]) -> Life[HostReport]:
        """Runs to the end and returns the report; JournalError where a question cannot be put on disk.

        Its waits are asked for; from the lock on they count as work, so that `--forks` bounds how many hosts are being
        changed. Interrupted, thrown in there, is thrown into the run, which then ends well.
        """
        try:
            with JUDGING:
                request = next(asking)
            while True:
                answer = yield from self._answered(request)
                with JUDGING:
                    request = asking.throw(answer) if isinstance(answer, RunbookError) else asking.send(answer)
        except StopIteration:
            return fold(self.host, self.events)

    def release(self) -> None:
        """Gives the lock back without a record: for when none can be written."""
        give(self.session, self._owner)

    def _answered(self, request: Request) -> Life[Told | RunbookError]:
        """The answer to a question, or the error to throw in instead; both question and answer are on disk by then."""
        if isinstance(request, Record):
            return self._remember(request)
        if isinstance(request, AskApproval) and request.step.change is not None:
            try:
                limits = self.brakes.reasons(request.step.change, request.begun_by)
                request = msgspec.structs.replace(request, limits=limits)
            except Interrupted as error:  # while a store that is away was waited for
                self.held_back = error
        try:
            record = self._keep(Asked(request))  # who must hear of it may be waited for
            self.watch(request)
            if not isinstance(request, Unlock):
                self._heed()
            answered = Answered((yield from self._answer(request, record)))
        except (HostError, Refused, Interrupted) as error:
            self._keep(NotAnswered(type(error).__name__, str(error), error.hint))
            return error
        told = without_secrets(answered, self.collector.readings)
        self.journal.append(told)
        return told.answer

    def _remember(self, request: Record) -> Waited:
        self._keep(Recorded(request.event))
        if isinstance(request.event, StepFinished):
            self._turn.end(self.brakes, request.event.state)
        self.watch(request)
        self.events.append(request.event)
        return Waited(self.clock.now())

    def _keep(self, envelope: Envelope) -> str:
        return self.journal.append(without_secrets(envelope, self.collector.readings))

    def _answer(self, request: Request, record: str) -> Life[Told]:
        match request:
            case ReadFacts():
                return (yield from self._read(request))
            case AskApproval():
                self._turn.asked(self.brakes, request)
                return self.approver.approve(self.host, request)
            case Execute():
                yield from self._turn.act(self.brakes, request, self.clock, at_work=self._locked)
                return self._execute(request, record)
            case Compare() | Look() | Lock():
                return self._lock() if isinstance(request, Lock) else _looked(self.session, request, self.clock)
            case Wait() | Turn():
                yield from self._turn.wait(self.brakes, request, at_work=self._locked)
            case Unlock():
                self._unlock()
            case Record():
                return self._remember(request)
            case _:
                assert_never(request)
        return Waited(self.clock.now())

    def _lock(self) -> Waited | TookOver:
        if self.machines is not None:
            self.machines.enter(self.session, self.host)
        broken = take(
            self.session,
            self._owner,
            force=self.break_lock,
            told=lambda run: "; ".join(opened.told for opened in self.left if opened.run == run),
            begun=self.begun,
            after=self.after,
            abandoned=self.abandoned,
            elsewhere=self.elsewhere,
        )
        self._locked = True
        return TookOver(self.clock.now(), broken) if broken else Waited(self.clock.now())

    def _unlock(self) -> None:
        """Gives the lock back; the marks of its commands stay where the run may be gone on with.

        Of a run that was not cut off, over another connection where this one is lost: its lock would be in everybody's
        way.
        """
        open_ = any(isinstance(event, StepFinished) and event.state == "unknown" for event in self.events)
        ends = [event.outcome for event in self.events if isinstance(event, RunFinished)]
        stopped = ends[-1:] == ["interrupted"] and not self.after and (self.begun or self._changed)
        settled, self._locked = not (open_ or stopped), False
        if give(self.session, self._owner, settled=settled):
            return
        over = LOST.isdisjoint(ends[-1:])
        try:
            if not (over and settled and _gave(self.again(), self._owner)):
                raise SessionLost(LOCK_STAYS)
        except HostError as error:
            if over:  # else whoever goes on with the run takes it
                self.stays(str(error))
            raise

    def _heed(self) -> None:
        """Ends the run before the next question where a person, or what happened during a script, says so."""
        if self.held_back is not None:
            raise self.held_back
        if wish := self.stop():
            raise Interrupted(wish)

    def _read(self, request: ReadFacts) -> Life[Snapshot]:
        facts, count, every = self.rules.reads(request.facts), request.count, request.every
        snapshot = yield from self.collector.collect(
            facts, count=count, every=every, at_work=self._locked, alone=request.alone
        )
        if snapshot.lost:
            raise SessionLost("the connection was lost while the host was being read", hint="runbook report shows it")
        self.noted(snapshot)
        seen = with_handled(with_policy(snapshot, self.policy), self.handled)
        return msgspec.structs.replace(seen, rules=self.rules)

    def _execute(self, request: Execute, record: str) -> Executed:
        change = request.change
        by = clean(self.actor).replace(" ", "_")
        label = f"runbook: run={self.run_id} step={clean(redact(request.step))} record={record[:16]} by={by}"
        holder = HoldingRun(self.run_id, self.runbook, record)
        carry_out = take_back if request.undo else execute
        result: Executed
        try:
            result = carry_out(self.session, change, label, self.clock.now(), holder)
            if request.of is not None and request.of.change.back_after and isinstance(result, Done):
                disarm(self.session, request.of.change, HoldingRun(request.of.run))
        except (HostError, Interrupted) as error:
            # A run takes an error for "not begun". A script that was cut off may have done its work: that is unknown.
            self.held_back = error
            result = Unknown(self.clock.now(), f"cut off while it ran: {error}")
        if change.repeat is not Repeat.READ:
            self._changed = self._turn.acted = True
            self.collector.changed()
        result = msgspec.structs.replace(result, at=self.clock.now())
        if change.evidence and isinstance(result, Done):
            path, digest = self.journal.save(f"{request.step.replace('/', '-')}.txt", result.output)
            return msgspec.structs.replace(
                result, output=f"{len(result.output)} characters, sha256:{digest}", evidence=path
            )
        return result

    @property
    def _owner(self) -> str:
        return f"{self.run_id} {self.actor}"


def _gave(session: Session, owner: str) -> bool:
    try:
        return give(session, owner, settled=True)
    finally:
        session.close()


def _looked(session: Session, request: Compare | Look, clock: Clock) -> Compared | Seen:
    if isinstance(request, Compare):
        return compare(session, request.undo, clock.now)
    return look(session, request, clock.now())
