"""Takes back what a run has changed: shown first as a plan, then as a run of its own, each change behind its gate."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from memrunbook import catalog
from memrunbook.app.accounting import trusted
from memrunbook.app.actor import this_actor
from memrunbook.app.braking import HostBrakes
from memrunbook.app.connectors import Connectors
from memrunbook.app.gates import OneAtATime
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.others import OthersFirst
from memrunbook.app.past import makes_again, pasts_of, reached, refuse_elsewhere
from memrunbook.app.reporting import find_run
from memrunbook.app.ruling import NO_FREEZE, Mode, demand_reason, rules_for
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.sealing import to_its_end
from memrunbook.app.stored import Stored, settings_of
from memrunbook.app.under_way import Running
from memrunbook.app.witnessing import new_run
from memrunbook.core.action.action import Risk
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.errors import Refused, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.plan import Plan
from memrunbook.core.reading.rules import HostRules
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.event import UndoPlanned
from memrunbook.core.run.record import Actor, Envelope, Invoked, Order, plain
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.request import Asking
from memrunbook.core.run.undo import undo_run
from memrunbook.core.run.undo_plan import RunToUndo
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.condition import Condition
from memrunbook.core.runbook.spec import RunbookSpec
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.interpret import Interpreter
from memrunbook.runtime.life import Life
from memrunbook.runtime.ports import Approver
from memrunbook.runtime.redaction import redact
from memrunbook.state.left_open import left_open
from memrunbook.state.paths import prepare, usual_state_dir
from memrunbook.state.runs import runs
from memrunbook.ui.approve import UnattendedApprover
from memrunbook.version import __version__


@dataclass(frozen=True, kw_only=True)
class UndoArguments:
    """A run by its id, or "last", on the hosts that are named (none: all of it), or one step of it.

    `reason` and `command` (what was typed) are kept in the journal, and `options`, the words that say how the hosts are
    reached. `break_lock` takes over the lock of a dead run. `library` has the configuration, `store` and
    `rollout` are as of a run.
    """

    run: str
    hosts: tuple[Host, ...] = ()
    step: str = ""
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    reason: str = ""
    command: str = ""
    options: tuple[str, ...] = ()
    break_lock: bool = False
    consents: Consents = field(default_factory=Consents)
    rollout: Rollout = field(default_factory=Rollout)
    actor: Actor = field(default_factory=this_actor)


@dataclass(frozen=True)
class UndonePlan:
    """What would be taken back on one host, or why that is not known."""

    host: str
    plan: Plan | None = None
    error: RunbookError | None = None


@dataclass(frozen=True)
class UndoPlans:
    """The run that would be taken back, and what of it on each host; no host where it changed nothing."""

    run_id: str
    hosts: tuple[UndonePlan, ...]


@dataclass
class UndoRun(Running):
    """One undo, on all its hosts.

    `makes_again` is the runbook whose changes are made once more, where an undo is undone: all that holds for that one
    holds for this. Else it takes back, which is held up by less.
    """

    pasts: Mapping[str, RunToUndo] = field(default_factory=dict)
    makes_again: str = ""

    @property
    def after(self) -> str:
        """The run that is taken back: where it was cut off its lock stands still."""
        return next(iter(self.pasts.values())).run

    def asking(self, host: Host) -> Asking[None]:
        """Takes back what the run had made there."""
        return undo_run(self.pasts[host.name])

    def brakes(self, host: Host, clock: SystemClock) -> HostBrakes:
        """The switch and config.yaml hold it back too; limits by what was done before and freezes do not.

        This takes just that back: in a freeze it is the way to the state that was frozen.
        """
        brakes = super().brakes(host, clock)
        if self.makes_again:
            return replace(brakes, runbook=self.makes_again)
        return replace(brakes, limits=None, held=NO_FREEZE)

    def host_rules(self, host: Host) -> HostRules:
        """What config.yaml forbids on a host, to whoever takes something back too."""
        return rules_for(self.config, host, "run" if self.makes_again else "undo")

    def rules(self) -> tuple[ApprovalRule, ...]:
        """Taking back waits for nobody else: its gates are asked."""
        return super().rules() if self.makes_again else ()

    def consenting(self, asked: Approver, clock: SystemClock) -> Approver:
        """Others first, where what they must approve is made again."""
        return OthersFirst(asked, self.rules(), self.makes_again or self.runbook.name, clock.now)


def undo_order(state: Path, run: str) -> Order | None:
    """What the run was ordered to do, and how its hosts were reached; None for a run of an older version."""
    found = find_run(state, run)
    if found.state == "running":
        return None  # it is refused
    refuse_elsewhere(found)
    invoked = trusted(state, found, "nothing is taken back by it").invoked or found.invoked
    return invoked.order if invoked else None


def undo_plan(arguments: UndoArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None) -> UndoPlans:
    """Looks what would be taken back on each host; nothing is changed and nothing is kept. Raises as `undo` does."""
    found, pasts = pasts_of(arguments.state, arguments.run, arguments.hosts, arguments.step)
    hosts = reached(found, arguments.hosts, pasts)
    stop, config = stop or threading.Event(), arguments.library.config()
    arguments.connectors.check(hosts)
    notice.reading(hosts, 1, 0.0, watching=False)
    mode: Mode = "run" if makes_again(arguments.state, pasts.values()) else "undo"
    rules = {host.name: rules_for(config, host, mode) for host in hosts}
    looks = partial(_planned, arguments, rules, stop)
    lives = notice.lives(lambda host: looks(host, pasts[host.name]))
    try:
        planned = each(hosts, lives, arguments.connectors.forks, SystemClock(stop))
    finally:
        notice.read()
    return UndoPlans(found.run_id, tuple(planned))


def undo(
    arguments: UndoArguments,
    approver: Approver,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> RunResult:
    """Takes back what a run has changed, the newest change first, in a run of its own; `run_id` is empty for nothing.

    Refused for a run that is running; UsageError for one, a host or a step that there is not; JournalError where its
    journal is not intact, or the new one cannot be written.
    """
    config = arguments.library.config()
    arguments.rollout.checked()  # a mistake in it is told before a run is begun
    found, pasts = pasts_of(arguments.state, arguments.run, arguments.hosts, arguments.step)
    hosts = reached(found, arguments.hosts, pasts)
    demand_reason(config, arguments.reason, _risk_of(pasts.values()), arguments.command)
    if not hosts:
        return RunResult("", ())
    arguments.connectors.check(hosts)
    config, again = settings_of(arguments.library), makes_again(arguments.state, pasts.values())
    clock, state = SystemClock(stop := stop or threading.Event()), prepare(arguments.state)
    stored = Stored(state, config, arguments.store)
    with closing(stored.open()) as store, new_run(stored, store, notice, clock) as directory:
        title = next(iter(pasts.values())).name
        directory.run.append(plain(_invoked(arguments, title, hosts, clock)))
        running = UndoRun(
            arguments=_as_run(arguments, title, hosts),
            runbook=_untitled(title),
            policy=arguments.library.policy() if again else ServicePolicy(),
            config=config,
            directory=directory,
            approver=OneAtATime(approver, stop),
            notice=notice,
            stop=stop,
            handled={},
            left=left_open(state, runs(state)),
            store=store,
            pasts=pasts,
            makes_again=again,
        )
        return to_its_end(running, hosts)


def _risk_of(pasts: Iterable[RunToUndo]) -> Risk:
    """The highest risk that taking back may have."""
    ways = [one.way_back for past in pasts for one in past.made]
    return max((way.risk for way in ways if way is not None), default=Risk.NONE)


def unallowed(report: HostReport) -> list[str]:
    """What `--allow` would have to say for what a gate refused: ACTION:TARGET."""
    plan = next((event.plan for event in report.others if isinstance(event, UndoPlanned)), None)
    planned = {(step.id, step.item): step.change for step in plan.steps} if plan else {}
    refused = [planned.get((step.id, step.item)) for step in report.steps if step.state == "refused"]
    return [f"{change.action}:{change.target}" for change in refused if change is not None]


def _planned(
    arguments: UndoArguments, rules: Mapping[str, HostRules], stop: threading.Event, host: Host, past: RunToUndo
) -> Life[UndonePlan]:
    clock = SystemClock(stop)
    try:
        clock.sleep(0.0)  # after Ctrl-C no host is entered any more
        session = arguments.connectors.connector(host).connect()
    except RunbookError as error:
        return UndonePlan(host.name, error=error)
    interpreter = Interpreter(
        host=host.name,
        run_id="",
        actor="",
        collector=Collector(host, session, clock, catalog.facts(), patience=arguments.connectors.reach.read_patience),
        session=session,
        approver=UnattendedApprover(False, (), clock.now, ""),
        journal=_Unkept(),
        clock=clock,
        rules=rules[host.name],
        stop=partial(wish_of, stop),
    )
    try:
        report = yield from interpreter.run(undo_run(past, only_plan=True))
    finally:
        session.close()
    planned = next((event for event in report.others if isinstance(event, UndoPlanned)), None)
    if planned is not None:
        return UndonePlan(host.name, planned.plan)
    kind = Refused if report.outcome == "refused" else RunbookError
    return UndonePlan(host.name, error=kind(report.why, where=host.name, hint=report.hint))


class _Unkept:
    """A journal for what only looks: nothing of it is kept."""

    def append(self, envelope: Envelope) -> str:
        """Keeps nothing."""
        del envelope
        return ""

    def save(self, name: str, text: str) -> tuple[str, str]:
        """Keeps nothing."""
        del text
        return name, ""


def _invoked(arguments: UndoArguments, title: str, hosts: Sequence[Host], clock: SystemClock) -> Invoked:
    return Invoked(
        time=clock.now().isoformat(),
        engine=__version__,
        actor=arguments.actor,
        command=redact(arguments.command),
        reason=redact(arguments.reason),
        runbook=title,
        runbook_digest="",
        origin="",
        parameters={"step": arguments.step} if arguments.step else {},
        hosts=tuple(host.name for host in hosts),
        order=Order(
            runbook=title,
            hosts=tuple(hosts),
            options=tuple(redact(word) for word in arguments.options),
            rollout=arguments.rollout,
        ),
    )


def _as_run(arguments: UndoArguments, title: str, hosts: tuple[Host, ...]) -> RunArguments:
    return RunArguments(
        runbook=title,
        hosts=hosts,
        connectors=arguments.connectors,
        library=arguments.library,
        state=arguments.state,
        reason=arguments.reason,
        command=arguments.command,
        break_lock=arguments.break_lock,
        consents=arguments.consents,
        rollout=arguments.rollout,
        actor=arguments.actor,
    )


def _untitled(title: str) -> Runbook:
    """An undo is no runbook: it has a name in the journal, and no steps but what the run had done."""
    spec = RunbookSpec(apiVersion="memrunbook/v1", name=title, title=title, checks=[], incident="false", steps=[])
    return Runbook(spec, "", "", {}, {}, (), Condition(()), None, 0.0, (), ())
