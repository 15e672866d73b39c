"""A run under way on its hosts: how each is entered, what is done there, who is asked and what holds it back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from memrunbook import catalog
from memrunbook.app.braking import HostBrakes
from memrunbook.app.claiming import once_over_all
from memrunbook.app.earlier import Earlier
from memrunbook.app.ending import end_of
from memrunbook.app.gates import OneAtATime
from memrunbook.app.journaling import HostJournal
from memrunbook.app.notice import Notice
from memrunbook.app.others import OthersFirst, ThroughFreezes
from memrunbook.app.outage import Outage
from memrunbook.app.reading import sampling_of
from memrunbook.app.remembering import Remembering, StoredRecall
from memrunbook.app.rolling import Rolling
from memrunbook.app.ruling import Freezes, as_said_now, rules_for
from memrunbook.app.run_arguments import RunArguments
from memrunbook.app.stored import Stored
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.reading.rules import HostRules
from memrunbook.core.run.applied import as_approved
from memrunbook.core.run.failures import unless_enough_failed
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.record import Recorded
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Asking
from memrunbook.core.run.resume import give_back
from memrunbook.core.run.run import not_reached, run_plan
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.config import Config
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.handled import Handled
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import Life
from memrunbook.runtime.machines import Machines
from memrunbook.runtime.ports import Approver, Session
from memrunbook.state.left_open import in_flight
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import run_of
from memrunbook.state.store.changes import Store


@dataclass
class Running:
    """One invocation, on all its hosts; `own` are the runbooks of hosts that have parameters of their own.

    `elsewhere`: what went before may have been done by another control node, which has lost the run to this one.
    `keeps_refused` says at the end whether the plans are kept here that a gate refused. `with_workers`: of a run that
    others carry out, whether they have it by now.
    """

    arguments: RunArguments
    runbook: Runbook
    policy: ServicePolicy
    config: Config
    directory: RunDirectory
    approver: OneAtATime
    notice: Notice
    stop: threading.Event
    handled: Handled
    store: Store
    left: tuple[OpenStep, ...] = ()
    abandoned: frozenset[str] = frozenset()
    parts: Mapping[str, Earlier] = field(default_factory=dict)
    own: Mapping[str, Runbook] = field(default_factory=dict)
    elsewhere: bool = False
    keeps_refused: Callable[[], bool] = lambda: True
    machines: Machines = field(default_factory=Machines)
    with_workers: bool | None = field(default=None, init=False)
    rolling: Rolling = field(init=False)
    remembering: Remembering = field(init=False)
    recall: StoredRecall = field(init=False)
    outage: Outage = field(init=False)

    def __post_init__(self) -> None:
        self.rolling = Rolling.of(self.arguments.rollout, self.arguments.hosts)
        self.remembering = Remembering(self.arguments.history)
        stored = Stored(self.arguments.state, self.config, self.arguments.store)
        self.recall = StoredRecall(lambda: stored)
        self.outage = Outage(stored.patience, self.notice.remark)

    def run(self, hosts: Sequence[Host]) -> list[HostReport]:
        """Runs these hosts; the reports in their order. JournalError stops the host whose journal fails."""
        self.directory.hosts([host.name for host in hosts])  # one entry in the ledger for all of them
        forks = self.arguments.connectors.forks
        return self.rolling.run(hosts, self.notice.lives(self._one, end_of), forks, self.stop, self.notice)

    def _one(self, host: Host) -> Life[HostReport]:
        clock = SystemClock(self.stop)
        journal = HostJournal(
            directory=self.directory,
            journal=self.directory.host(host.name),
            host=host.name,
            runbook=self.own.get(host.name, self.runbook),
            actor=self.arguments.actor,
            clock=clock,
            copy=self.notice.recorded,
        )
        try:
            if not self.parts.get(host.name, Earlier()).begun:
                self.rolling.heed(self.stop)
            clock.sleep(0.0)  # after Ctrl-C no host is entered any more
            session = self.arguments.connectors.connector(host).connect()
        except RunbookError as error:
            try:
                return self._not_reached(host, error, journal)
            finally:
                journal.journal.close()
        try:
            return (yield from self._interpreted(host, session, journal, clock))
        finally:
            session.close()
            journal.journal.close()

    def in_flight(self) -> list[OpenStep]:
        """What is under way by now, as the journals tell."""
        found = run_of(self.arguments.state, self.directory.run_id)
        return [opened for host in self.arguments.hosts for opened in in_flight(found, host.name).open]

    def _not_reached(self, host: Host, error: RunbookError, journal: HostJournal) -> HostReport:
        """The end of a host that was not worked with; what is wrong with it is no concern of the others."""
        part = self.parts.get(host.name, Earlier())
        why = error.message if error.where == host.name else str(error)
        events = [] if part.behind and part.behind.ended else not_reached(self.runbook, part.behind, error, why)
        for event in events:
            journal.append(Recorded(event))
        return fold(host.name, [*part.events, *events])

    def asking(self, host: Host) -> Asking[None]:
        """What is done on a host."""
        part = self.parts.get(host.name, Earlier())
        if part.behind is not None and part.behind.ended:
            return give_back()
        watch, usual = self.arguments.watch, self.runbook.spec.sample
        sampling = None if watch is None else sampling_of(watch, usual, self.arguments.hosts)
        mine, patience = self.own.get(host.name, self.runbook), self.arguments.lock_patience
        return run_plan(mine, sampling, left=self.left, behind=part.behind, patience=patience)

    @property
    def after(self) -> str:
        """The run that this one takes back; empty where it takes none back."""
        return ""

    def rules(self) -> tuple[ApprovalRule, ...]:
        """What other people must approve before."""
        return self.config.approvals

    def host_rules(self, host: Host) -> HostRules:
        """What config.yaml forbids on a host."""
        return rules_for(self.config, host, "apply" if self.arguments.applied else "run")

    def consenting(self, asked: Approver, clock: SystemClock) -> Approver:
        """Who answers at the gates: others first, then whoever is `asked`."""
        return OthersFirst(asked, self.rules(), self.runbook.name, clock.now, self.arguments.people)

    def brakes(self, host: Host, clock: SystemClock) -> HostBrakes:
        """What holds this run back on a host; "local" is another machine for each control node."""
        local = host.transport == LOCAL
        return HostBrakes(
            store=self.store,
            clock=clock,
            run=self.directory.run_id,
            host=(self.arguments.actor.control_node or host.name) if local else host.name,
            runbook=self.runbook.name,
            actor=f"{self.arguments.actor.user}@{self.arguments.actor.control_node}",
            hosts=max(len(self.arguments.hosts), self.arguments.of_hosts),
            held=Freezes(self.config.freeze, self.arguments.consents),
            rules=self.host_rules(host),
            limits=self.config.limits,
            approved=self.arguments.approved.get(host.name),
            peers=as_said_now(self.config, host).peers,
            waits=lambda why: self.notice.waits(host.name, why),
            outage=self.outage,
        )

    def _interpreted(self, host: Host, session: Session, journal: HostJournal, clock: SystemClock) -> Life[HostReport]:
        arguments, part = self.arguments, self.parts.get(host.name, Earlier())
        collector = _collector(self, host, session, clock)
        brakes = replace(self.brakes(host, clock), machine=lambda: collector.identity.machine_id)
        interpreter = Interpreter(
            host=host.name,
            run_id=self.directory.run_id,
            actor=f"{arguments.actor.user}@{arguments.actor.control_node}",
            collector=collector,
            session=session,
            approver=ThroughFreezes(self.consenting(self.approver, clock), brakes.held, clock.now),
            journal=journal,
            clock=clock,
            policy=self.policy,
            handled=self.handled,
            break_lock=arguments.break_lock,
            runbook=self.runbook.name,
            brakes=brakes,
            rules=brakes.rules,
            machines=self.machines if len(arguments.hosts) > 1 else None,
            left=[*self.left, *([part.behind.open] if part.behind and part.behind.open else [])],
            events=list(part.events),
            begun=part.behind is not None and part.behind.acted,
            after=self.after,
            abandoned=self.abandoned,
            elsewhere=self.elsewhere,
            watch=lambda request: self.notice.asked(host.name, request),
            stop=partial(wish_of, self.stop),
            noted=partial(self.remembering.note, host),
            again=self.arguments.connectors.connector(host).connect,
            stays=lambda why: self.notice.remark(f"{host.name}: the lock of this run stays there: {why}", LEFT_LOCK),
        )
        try:
            report = yield from interpreter.run(_asking(self, host, part))
            brakes.ran(report.outcome, changed=report.changed)
        except JournalError:
            if not self.elsewhere:  # else the lock may be the one of whoever goes on with it
                interpreter.release()  # nothing more may be done here, but the host shall not stay locked
            raise
        return report


def _asking(running: Running, host: Host, part: Earlier) -> Asking[None]:
    """What is done on a host: no more than was approved, and nothing where enough others have failed before it."""
    approved = once_over_all(running.arguments, host.name, running.store, running.directory.run_id)
    asking = running.asking(host)
    asking = asking if part.begun else unless_enough_failed(asking, running.rolling.failures)
    return as_approved(asking, approved) if approved else asking


LEFT_LOCK = "nothing of this run is open there: the next one takes the lock over with --break-lock"


def _collector(running: Running, host: Host, session: Session, clock: SystemClock) -> Collector:
    look = running.notice.first if running.notice.first_look else None
    patience = running.arguments.connectors.reach.read_patience
    return Collector(host, session, clock, catalog.facts(), patience, look, running.recall)
