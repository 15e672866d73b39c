"""Runs a runbook on its hosts: one journal each, one gate at a time, one report at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import msgspec

from memrunbook import catalog
from memrunbook.cli.journaling import HostJournal
from memrunbook.cli.wiring import Wiring
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.run.record import Outcome, RunFinished
from memrunbook.core.run.report import HostReport, fold
from memrunbook.core.run.request import Approval, AskApproval, Request
from memrunbook.core.run.run import ENDS, run_plan
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.handled import Handled
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import Life
from memrunbook.runtime.ports import Approver, Session
from memrunbook.state.run_directory import RunDirectory


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
    """One invocation of `runbook run`."""

    wiring: Wiring
    runbook: Runbook
    directory: RunDirectory
    approver: OneAtATime
    actor: Mapping[str, str]
    watch: Callable[[str, Request[Any]], None]
    handled: Handled
    break_lock: bool = False
    copy: Callable[[dict[str, Any]], None] | None = None

    def run(self) -> list[HostReport]:
        """Runs every host; the reports in their order. JournalError stops the host whose journal fails."""
        self.directory.hosts([host.name for host in self.wiring.hosts])  # one entry in the ledger for all of them
        clock = SystemClock(self.wiring.stop)
        return each(self.wiring.hosts, self._one, self.wiring.settings.forks, clock)

    def _one(self, host: Host) -> Life[HostReport]:
        clock = SystemClock(self.wiring.stop)
        journal = HostJournal(
            directory=self.directory,
            journal=self.directory.host(host.name),
            host=host.name,
            runbook=self.runbook,
            actor=self.actor,
            clock=clock,
            copy=self.copy,
        )
        try:
            clock.sleep(0.0)  # after Ctrl-C no host is entered any more
            session = self.wiring.connector(host).connect()
        except RunbookError as error:
            return _not_reached(host, error, journal)
        try:
            return (yield from self._interpreted(host, session, journal, clock))
        finally:
            session.close()
            journal.journal.close()

    @property
    def _watch(self) -> Sampling | None:
        settings, usual = self.wiring.settings, self.runbook.spec.sample
        if settings.watch is None:
            return None
        count, every = settings.sampling(usual.count, usual.every)
        return Sampling(count, Duration(every))

    def _interpreted(self, host: Host, session: Session, journal: HostJournal, clock: SystemClock) -> Life[HostReport]:
        interpreter = Interpreter(
            host=host.name,
            run_id=self.directory.run_id,
            actor=f"{self.actor['user']}@{self.actor['control_node']}",
            collector=Collector(host, session, clock, catalog.facts(), patience=self.wiring.settings.patience or 0.0),
            session=session,
            approver=self.approver,
            journal=journal,
            clock=clock,
            policy=self.wiring.policy,
            handled=self.handled,
            break_lock=self.break_lock,
            watch=lambda request: self.watch(host.name, request),
            stop=self.wiring.stop.is_set,
        )
        try:
            return (yield from interpreter.run(run_plan(self.runbook, self._watch)))
        except JournalError:
            interpreter.release()  # nothing more may be done here, but the host shall not stay locked
            raise


def _not_reached(host: Host, error: RunbookError, journal: HostJournal) -> HostReport:
    """The end of a host that was never worked with; what is wrong with it is no concern of the others."""
    outcome: Outcome = next((outcome for kind, outcome in ENDS.items() if isinstance(error, kind)), "unreachable")
    why = error.message if error.where == host.name else str(error)
    end = RunFinished(outcome, why, hint=error.hint)
    journal.append({"event": "recorded", "record": msgspec.to_builtins(end)})
    return fold(host.name, [end])
