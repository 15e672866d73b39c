"""Runs a runbook on hosts: one journal each, one gate at a time, one report each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook import catalog
from memrunbook.app.actor import this_actor
from memrunbook.app.braking import HostBrakes, open_store
from memrunbook.app.connectors import Connectors
from memrunbook.app.journaling import HostJournal
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reading import refuse_twins, sampling_of
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Outcome, RunFinished
from memrunbook.core.run.record import Actor, Ended, EndedHost, Invoked, Recorded, plain
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.core.run.run import ENDS, run_plan
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import Sampling
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.handled import Handled
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import Life
from memrunbook.runtime.ports import Approver, Session
from memrunbook.runtime.redaction import HIDDEN, named_secret, redact
from memrunbook.state.handled import handled
from memrunbook.state.names import file_name
from memrunbook.state.paths import prepare, usual_state_dir
from memrunbook.state.plans import save_plans
from memrunbook.state.run_directory import RunDirectory, new_run_id
from memrunbook.state.store.changes import Store
from memrunbook.ui.approve import UnattendedApprover
from memrunbook.version import __version__

LEFT = """Left at once: what was under way may be unfinished.
  hint: runbook report {} shows how far each host came; look at the host before anything is repeated
"""


@dataclass(frozen=True, kw_only=True)
class RunArguments:
    """A runbook by name or path, and its parameters as text; `watch` reads for so many seconds before it judges.

    `reason` and `command` (what was typed) are kept in the journal. `break_lock` takes over the lock of a dead run.
    """

    runbook: str
    hosts: tuple[Host, ...]
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    parameters: Mapping[str, str] = field(default_factory=dict)
    watch: float | None = None
    reason: str = ""
    command: str = ""
    break_lock: bool = False
    actor: Actor = field(default_factory=this_actor)


@dataclass(frozen=True)
class RunResult:
    """The run's id and a report for each host, in their order; `saved` are the plans of hosts where a gate refused."""

    run_id: str
    reports: tuple[HostReport, ...]
    saved: Mapping[str, Path] = field(default_factory=dict)


def run(
    arguments: RunArguments,
    approver: Approver,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
    alone: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> RunResult:
    """Carries out a runbook: each change behind a gate that `approver` answers, proven, undone where it did not help.

    UsageError or DocumentError for what cannot be asked, JournalError where the journal cannot be written. `stop` ends
    the run after what is under way; `alone` is entered while a gate waits for its answer.
    """
    policy = arguments.library.policy()  # a mistake in it is told before any host is asked
    refuse_twins(arguments.hosts)
    arguments.connectors.check(arguments.hosts)
    runbook = arguments.library.runbook(arguments.runbook, arguments.parameters)
    stop = stop or threading.Event()
    clock = SystemClock()
    state = prepare(arguments.state)
    with RunDirectory.create(state, new_run_id(clock.now()), clock.now) as directory:
        directory.run.append(plain(_invoked(arguments, runbook, clock)))
        gates = OneAtATime(approver, threading.Lock(), alone)
        store = open_store(state)
        running = Running(
            arguments, runbook, policy, directory, gates, notice, stop, handled(state).get(runbook.name, {}), store
        )
        try:
            reports = running.run()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(LEFT.format(directory.run_id)) from None
        finally:
            store.close()
        ended = tuple(EndedHost(report.host, _outcome(report), _machine_id(report)) for report in reports)
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=ended)))
        directory.end()
        saved = _save_refused(directory.path, reports, arguments.actor.user)
    return RunResult(directory.run_id, tuple(reports), saved)


def _invoked(arguments: RunArguments, runbook: Runbook, clock: SystemClock) -> Invoked:
    return Invoked(
        time=clock.now().isoformat(),
        engine=__version__,
        actor=arguments.actor,
        command=redact(arguments.command),
        reason=redact(arguments.reason),
        runbook=runbook.name,
        runbook_digest=runbook.digest,
        origin=runbook.origin,
        parameters={
            name: HIDDEN if named_secret(name) else redact(str(value)) for name, value in runbook.parameters.items()
        },
        hosts=tuple(host.name for host in arguments.hosts),
    )


def consent(allow: Collection[str] = (), *, yes: bool = False) -> Approver:
    """An approver for when nobody can be asked: `yes` to low risk, and to each ACTION or ACTION:TARGET of `allow`."""
    return UnattendedApprover(yes, allow, SystemClock().now, this_actor().user)


def _kept(name: str, value: object) -> str:
    return HIDDEN if named_secret(name) else redact(str(value))


@dataclass
class OneAtATime:
    """An approver that many hosts share: one question at a time; after "quit all" nobody is asked any more.

    Nothing else is drawn while a question stands (`alone`).
    """

    approver: Approver
    turn: threading.Lock
    alone: Callable[[], AbstractContextManager[None]]
    quit: bool = False

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Waits for its turn and asks."""
        with self.turn:
            if self.quit:
                return Approval(question.snapshot_at, "quit-all", how="terminal", why="all hosts were quit at a gate")
            with self.alone():
                answer = self.approver.approve(host, question)
            self.quit = answer.answer == "quit-all"
            return answer


@dataclass
class Running:
    """One invocation, on all its hosts."""

    arguments: RunArguments
    runbook: Runbook
    policy: ServicePolicy
    directory: RunDirectory
    approver: OneAtATime
    notice: Notice
    stop: threading.Event
    handled: Handled
    store: Store

    def run(self) -> list[HostReport]:
        """Runs every host; the reports in their order. JournalError stops the host whose journal fails."""
        hosts = self.arguments.hosts
        self.directory.hosts([host.name for host in hosts])  # one entry in the ledger for all of them
        return each(hosts, self._one, self.arguments.connectors.forks, SystemClock(self.stop))

    def _one(self, host: Host) -> Life[HostReport]:
        clock = SystemClock(self.stop)
        journal = HostJournal(
            directory=self.directory,
            journal=self.directory.host(host.name),
            host=host.name,
            runbook=self.runbook,
            actor=self.arguments.actor,
            clock=clock,
            copy=self.notice.recorded,
        )
        try:
            clock.sleep(0.0)  # after Ctrl-C no host is entered any more
            session = self.arguments.connectors.connector(host).connect()
        except RunbookError as error:
            try:
                return _not_reached(host, error, journal)
            finally:
                journal.journal.close()
        try:
            return (yield from self._interpreted(host, session, journal, clock))
        finally:
            session.close()
            journal.journal.close()

    @property
    def _on_first(self) -> Callable[[Snapshot], None] | None:
        return self.notice.first if self.notice.first_look else None

    @property
    def _watch(self) -> Sampling | None:
        arguments = self.arguments
        if arguments.watch is None:
            return None
        return sampling_of(arguments.watch, self.runbook.spec.sample, arguments.hosts)

    def _brakes(self, host: Host, clock: SystemClock) -> HostBrakes:
        return HostBrakes(
            store=self.store,
            clock=clock,
            run=self.directory.run_id,
            host=host.name,
            runbook=self.runbook.name,
            actor=f"{self.arguments.actor.user}@{self.arguments.actor.control_node}",
            hosts=len(self.arguments.hosts),
        )

    def _interpreted(self, host: Host, session: Session, journal: HostJournal, clock: SystemClock) -> Life[HostReport]:
        arguments = self.arguments
        interpreter = Interpreter(
            host=host.name,
            run_id=self.directory.run_id,
            actor=f"{arguments.actor.user}@{arguments.actor.control_node}",
            collector=Collector(
                host,
                session,
                clock,
                catalog.facts(),
                patience=arguments.connectors.reach.read_patience,
                on_first=self._on_first,
            ),
            session=session,
            approver=self.approver,
            journal=journal,
            clock=clock,
            policy=self.policy,
            handled=self.handled,
            break_lock=arguments.break_lock,
            runbook=self.runbook.name,
            brakes=(brakes := self._brakes(host, clock)),
            watch=lambda request: self.notice.asked(host.name, request),
            stop=self.stop.is_set,
        )
        try:
            report = yield from interpreter.run(run_plan(self.runbook, self._watch))
            brakes.ran(report.outcome, changed=report.changed)
        except JournalError:
            interpreter.release()  # nothing more may be done here, but the host shall not stay locked
            raise
        return report


def _not_reached(host: Host, error: RunbookError, journal: HostJournal) -> HostReport:
    """The end of a host that was never worked with; what is wrong with it is no concern of the others."""
    outcome: Outcome = next((outcome for kind, outcome in ENDS.items() if isinstance(error, kind)), "unreachable")
    why = error.message if error.where == host.name else str(error)
    end = RunFinished(outcome, why, hint=error.hint)
    journal.append(Recorded(end))
    return fold(host.name, [end])


def _outcome(report: HostReport) -> Outcome:
    return "interrupted" if report.outcome == "running" else report.outcome


def _machine_id(report: HostReport) -> str:
    return report.begun.plan.identity.machine_id if report.begun else ""


def refused_changes(report: HostReport) -> list[str]:
    """What `--allow` would have to say for the steps that a gate refused: ACTION:TARGET."""
    planned = {(step.id, step.item): step.change for step in report.begun.plan.steps} if report.begun else {}
    refused = [planned.get((step.id, step.item)) for step in report.steps if step.state == "refused"]
    return [f"{change.action}:{change.target}" for change in refused if change is not None]


def _save_refused(folder: Path, reports: list[HostReport], creator: str) -> dict[str, Path]:
    """The plans of the hosts where a gate refused, in their final format."""
    saved = {}
    for report in reports:
        if report.begun is not None and refused_changes(report):
            saved[report.host] = folder / f"plan-{file_name(report.host)}.json"
            save_plans(saved[report.host], [report.begun.plan], creator)
    return saved
