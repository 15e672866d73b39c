"""Carries out one firing of a schedule: plans, or runs within its limits; says how it ended and what to tell whom."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec import structs

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.holding_back import Asks, held_back
from memrunbook.app.occasions import if_held_back
from memrunbook.app.planning import PlanArguments, plan_each
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.saving import save
from memrunbook.app.scheduled_consent import ScheduledConsent
from memrunbook.app.shadowing import SCORED_BY, SeenThere, seen_there, shadows_of, sightings_of
from memrunbook.core.errors import DocumentError, HostError, Interrupted, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.shadows import HostSighting, Shadow
from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.core.run.record import Actor
from memrunbook.core.schedule import Moment
from memrunbook.documents.library import Library
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.waiting import plan_path, withdraw_older
from memrunbook.transports.shared.firing_alerts import firing_alerts

if TYPE_CHECKING:
    # The database is loaded by whoever opens it.
    from memrunbook.app.planning import HeldUp
    from memrunbook.core.plan.judged import Planned
    from memrunbook.core.plan.plan import Plan
    from memrunbook.core.run.report import HostReport
    from memrunbook.state.store.firings import FiringState

Reaches = Callable[[ScheduledRun], tuple[tuple[Host, ...], Connectors]]
"""The hosts that a schedule means by now, and the ways there; RunbookError where that cannot be told."""
WELL = frozenset({"healthy", "resolved", "restored"})
OCCASIONS: dict[str, Occasion] = {
    "refused": "refused",
    "not_begun": "refused",
    "unreachable": "unreachable",
    "unresolved": "unresolved",
    "improved": "unresolved",
}
SAID = 3


class FiringResult(NamedTuple):
    """How a firing ended: its state, in a sentence why, the run if there was one, and what is told and remembered."""

    state: FiringState
    why: str = ""
    run: str = ""
    tell: tuple[Notification, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    sightings: tuple[HostSighting, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every firing needs: files, state, store, the ways to hosts, who asks for alerts, and what ends it early.

    `options` are words that say how hosts are reached, `again` those that every command about these runs needs.
    """

    library: Library
    state: Path
    store: str = ""
    reaches: Reaches
    asks: Asks = firing_alerts
    options: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)


class _Looked(NamedTuple):
    """What is kept of one host that was planned for."""

    host: str
    plan: Plan | None
    error: RunbookError | None
    seen: SeenThere | None
    evidence: tuple[str, ...]


def carry_out(job: ScheduledRun, moment: Moment, around: Surroundings) -> FiringResult:
    """Does what a schedule says, once. Never raises: what goes wrong is how it ends."""
    clock, firing = SystemClock(), _AtWork(job, moment, around)
    try:
        config = around.library.config()
        if (held := held_back(job, config, clock.now().utc, around.asks)) is not None:
            return firing.held(cast("FiringState", held.state), held.why)
        hosts, connectors = around.reaches(job)
        with _bounded(job, around.stop) as stop:
            at_work = replace(firing, around=replace(around, stop=stop))
            return (at_work.run if job.acts else at_work.plan)(hosts, connectors)
    except Interrupted:
        return FiringResult("interrupted", "the scheduler was stopped; it is not begun again")
    except DocumentError as error:
        first = error.problems[0]
        return firing.held("blocked", f"{first.where}: {first.message}")
    except RunbookError as error:
        return firing.held("blocked", redact(str(error)))
    except Exception as error:  # noqa: BLE001  a defect in one firing must not end the scheduler
        why = redact(f"a defect of ours: {type(error).__name__}: {error}")
        return FiringResult("failed", why, tell=(firing.note("failed", why),))


class _bounded:  # noqa: N801  a context, as a function reads
    """A stop that is also set once the schedule's time is over."""

    def __init__(self, job: ScheduledRun, stop: threading.Event) -> None:
        self._outer, self._seconds = stop, job.timeout
        self._stop, self._over = (stop if job.timeout is None else threading.Event()), threading.Event()

    def __enter__(self) -> threading.Event:
        if self._seconds is not None:
            threading.Thread(target=self._watch, daemon=True).start()
        return self._stop

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        clock, seconds = SystemClock(), self._seconds or 0.0
        until = clock.now().monotonic + seconds
        while not self._over.wait(0.2):
            if self._outer.is_set() or clock.now().monotonic >= until:
                self._stop.set()
                return


@dataclass(frozen=True)
class _AtWork:
    """One firing under way."""

    job: ScheduledRun
    moment: Moment
    around: Surroundings

    def held(self, state: FiringState, why: str) -> FiringResult:
        """What cannot be told is told to somebody; a freeze or an alert that holds it back is as it was wanted."""
        return FiringResult(state, why, tell=(self.note("failed", why),) if state == "blocked" else ())

    def plan(self, hosts: Sequence[Host], connectors: Connectors) -> FiringResult:
        """Says what would be done, and keeps it: as a plan for a person, and as a row for the score."""
        job = self.job
        arguments = PlanArguments(
            runbook=job.runbook,
            hosts=tuple(hosts),
            connectors=connectors,
            library=self.around.library,
            state=self.around.state,
            parameters=job.parameters,
            actor=actor_of(job),
            waits=True,
            besides=SCORED_BY,
        )
        planned = plan_each(arguments, _looked, stop=self.around.stop)
        looked = planned.hosts
        tell: list[Notification] = []
        shadows: list[Shadow] = []
        for one in looked:
            if one.plan is not None and any(step.gate for step in one.plan.changes):
                path = plan_path(self.around.state, self.moment, one.host)
                save(path, arguments, [one.plan])
                withdraw_older(self.around.state, path, one.host)
                shadows += shadows_of(job, self.moment, one.plan)
                steps = [step.name for step in one.plan.changes if step.gate]
                tell.append(self._waits(one.host, path, steps, one.evidence))
        failed = [one for one in looked if one.error is not None]
        tell += [
            self.note("unreachable" if isinstance(one.error, HostError) else "failed", str(one.error), one.host)
            for one in failed
        ]
        seen = sightings_of(job, self.moment, planned.runbook.name, [(one.host, one.seen) for one in looked])
        return _planned(failed, shadows)._replace(tell=tuple(tell), shadows=tuple(shadows), sightings=seen)

    def run(self, hosts: Sequence[Host], connectors: Connectors) -> FiringResult:
        """An ordinary run, whose gates the schedule's limits answer."""
        from memrunbook.app.running import run

        job, around = self.job, self.around
        arguments = RunArguments(
            runbook=job.runbook,
            hosts=tuple(hosts),
            connectors=connectors,
            library=around.library,
            state=around.state,
            store=around.store,
            parameters=job.parameters,
            reason=job.reason or f"schedule {job.name}",
            command=f"schedule run, firing {self.moment.id}",
            options=(*(word for one in job.inventory for word in ("--inventory", one)), *around.options),
            actor=actor_of(job),
            rollout=job.rollout,
            waits=True,
            unblocks=True,
        )
        consent = ScheduledConsent(job.name, job.max_risk, Consents(job.allow), SystemClock(around.stop).now)
        return self._ran(run(arguments, consent, stop=around.stop))

    def note(self, occasion: Occasion, why: str, host: str = "") -> Notification:
        """What is told of a host, or of the firing as a whole."""
        job, whom = self.job, f"{host}: " if host else ""
        return Notification(
            occasion=occasion,
            key=f"schedule:{job.name}:{host}:{occasion}",
            at=SystemClock().now().utc,
            verdict=redact(f"schedule {job.name}: {whom}{why}"),
            host=host,
            runbook=job.runbook,
            schedule=job.name,
            evidence=(f"firing {self.moment.id}", f"set in {job.where}"),
            command=self._command("schedule", "firings", job.name),
        )

    def _ran(self, result: RunResult) -> FiringResult:
        tell = []
        for report in result.reports:
            if (saved := result.saved.get(report.host)) is not None:
                steps = [f"{step.name}: {step.why}" for step in report.steps if step.state == "refused"]
                waits = structs.replace(self._waits(report.host, saved, steps, ()), run=result.run_id)
                tell.append(if_held_back(waits, report, saved))
            elif report.outcome not in WELL:
                tell.append(if_held_back(self._of_host(report, result.run_id), report))
        bad = [
            f"{one.host}: {one.outcome}{f', {one.why}' if one.why else ''}"
            for one in result.reports
            if one.outcome not in WELL
        ]
        return FiringResult(_state_of(result), _some_of(bad), result.run_id, tuple(tell))

    def _of_host(self, report: HostReport, run: str) -> Notification:
        why = ": ".join(filter(None, (report.outcome, report.why)))
        found = self.note(OCCASIONS.get(report.outcome, "failed"), why, report.host)
        steps = (f"{step.name}: {step.state}{f' ({step.why})' if step.why else ''}" for step in report.steps)
        command, hint = self._command("report", run), (f"what helps: {report.hint}",) if report.hint else ()
        return structs.replace(found, run=run, evidence=tuple(redact(one) for one in (*steps, *hint)), command=command)

    def _waits(self, host: str, path: Path, steps: Sequence[str], evidence: Sequence[str]) -> Notification:
        found = self.note("needs-approval", f"a plan waits for a person: {_some_of(steps)}", host)
        said = (*(redact(one) for one in (*evidence, *steps)), f"all that wait: {self._command('pending')}")
        return structs.replace(found, evidence=said, command=self._command("apply", str(path)))

    def _command(self, *words: str) -> str:
        return shlex.join(["runbook", *words, *self.around.again])


def actor_of(job: ScheduledRun) -> Actor:
    """Who does it: the schedule, on this control node, with the rights of this process."""
    return structs.replace(
        this_actor(), user=f"schedule:{job.name}", sudo_user="", login_user="", ssh_client="", tty=""
    )


def _looked(planned: Planned, held: HeldUp) -> _Looked:
    diagnosis = planned.diagnosis
    firing = [one.name for one in diagnosis.findings if one.state == "firing"] if diagnosis else []
    reached = planned.reached
    return _Looked(reached.name, planned.plan, reached.error, seen_there(planned, held), tuple(firing))


def _planned(failed: Sequence[_Looked], shadows: Sequence[Shadow]) -> FiringResult:
    if failed:
        return FiringResult("failed", _some_of([f"{one.host}: {one.error}" for one in failed]))
    if not shadows:
        return FiringResult("done", "nothing would be changed")
    hosts = dict.fromkeys(one.host for one in shadows)
    return FiringResult("waits", _some_of([f"{host}: plan saved" for host in hosts]))


def _state_of(result: RunResult) -> FiringState:
    """The worst of what happened on its hosts; a gate that refused and saved its plan is one that waits."""
    outcomes = {one.outcome for one in result.reports if one.host not in result.saved} - WELL
    if result.stopped or outcomes & {"interrupted", "running"}:
        return "interrupted"
    if outcomes - {"refused", "not_begun"}:
        return "failed"
    return "waits" if result.saved else "refused" if outcomes else "done"


def _some_of(words: Sequence[str]) -> str:
    more = f" and {len(words) - SAID} more" if len(words) > SAID else ""
    return redact(f"{'; '.join(words[:SAID])}{more}")
