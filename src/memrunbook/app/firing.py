"""Carries out one firing of a schedule: plans, or runs within its limits; says how it ended and what to tell whom."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec import structs

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.firing_ends import (
    ANEW,
    CUT,
    OCCASIONS,
    cut_words,
    goes_on,
    helps,
    next_words,
    not_well,
    some_of,
    state_of,
    why_of,
)
from memrunbook.app.firing_stop import SCHEDULER, FiringStop
from memrunbook.app.holding_back import Asks, held_back
from memrunbook.app.judging_schedules import ScheduleJudge, broken_told
from memrunbook.app.occasions import if_held_back
from memrunbook.app.planning import PlanArguments, plan_each
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.saving import save
from memrunbook.app.scheduled_consent import ScheduledConsent
from memrunbook.app.shadowing import SCORED_BY, SeenThere, seen_there, shadows_of, sightings_of
from memrunbook.core.errors import DocumentError, HostError, Interrupted, JournalError, Problem, RunbookError, in_a_line
from memrunbook.core.host import Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.shadows import HostSighting, Shadow
from memrunbook.core.run.failures import WELL
from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.core.run.record import Actor
from memrunbook.core.schedule import Moment
from memrunbook.documents.library import Library
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.waiting import plan_path, withdraw_others
from memrunbook.transports.shared.firing_alerts import firing_alerts

if TYPE_CHECKING:
    # The database is loaded by whoever opens it.
    from memrunbook.app.held_up import HeldUp
    from memrunbook.core.plan.judged import Planned
    from memrunbook.core.plan.plan import Plan
    from memrunbook.core.run.report import HostReport
    from memrunbook.state.store.firings import FiringState

Reaches = Callable[[ScheduledRun], tuple[tuple[Host, ...], Connectors]]
"""The hosts that a schedule means by now, and the ways there; RunbookError where that cannot be told."""


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

    `inventory` counts where a schedule names none, `options` are words that say how hosts are reached, `again` those
    that a command about these runs needs besides. With `distribute` workers do what a firing does on hosts. `broken`
    are the schedules that cannot be used, and why, as somebody was told.
    """

    library: Library
    state: Path
    store: str = ""
    inventory: tuple[str, ...] = ()
    reaches: Reaches
    asks: Asks = firing_alerts
    options: tuple[str, ...] = ()
    again: Callable[[Sequence[str]], Sequence[str]] = lambda _: ()
    broken: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    distribute: bool = False

    def command(self, *words: str) -> str:
        """A command to type, with the options that it needs to find what is meant."""
        return shlex.join(["runbook", *words, *self.again(words)])

    def judge(self) -> ScheduleJudge:
        """Who says whether a schedule can be used, by the files as they are now."""
        return ScheduleJudge(self.library, self.inventory, entire=True)


class _Looked(NamedTuple):
    """What is kept of one host that was planned for."""

    host: str
    plan: Plan | None
    trouble: str
    error: RunbookError | None
    seen: SeenThere | None
    evidence: tuple[str, ...]

    @property
    def occasion(self) -> Occasion:
        """Why somebody is told of its trouble."""
        if self.error is None:
            return "unresolved"
        return "unreachable" if isinstance(self.error, HostError) else "failed"


def carry_out(job: ScheduledRun, moment: Moment, around: Surroundings) -> FiringResult:
    """Does what a schedule says, once. Never raises: what goes wrong is how it ends."""
    firing = _AtWork(job, moment, around, FiringStop(around.stop))
    try:
        if (not_now := firing.before()) is not None:
            return not_now
        hosts, connectors = around.reaches(job)
        at_work = replace(firing, stop=FiringStop(around.stop, job.timeout))
        return (at_work.run if job.acts else at_work.plan)(hosts, connectors)
    except Interrupted:
        return FiringResult("interrupted", f"{SCHEDULER}; {ANEW}")
    except RunbookError as error:
        if isinstance(error, JournalError) and error.run:
            return firing.not_written(error)
        first = error.problems[0].hint if isinstance(error, DocumentError) else error.hint
        return firing.held("blocked", redact(in_a_line(error)), first)
    except Exception as error:  # noqa: BLE001  a defect in one firing must not end the scheduler
        why = redact(f"a defect of ours: {type(error).__name__}: {error}")
        return FiringResult("failed", why, tell=(firing.note("failed", why),))


@dataclass(frozen=True)
class _AtWork:
    """One firing under way."""

    job: ScheduledRun
    moment: Moment
    around: Surroundings
    stop: FiringStop

    def before(self) -> FiringResult | None:
        """What stands against it before any host is asked; None where nothing does."""
        job, around, now = self.job, self.around, SystemClock().now().utc
        if problems := around.judge().problems(job):
            known, around.broken[job.name] = around.broken.get(job.name), problems
            told = broken_told(job.name, problems, now, self.around.command("schedule", "list"))
            why = f"{problems[0].where}: {problems[0].message}"
            return FiringResult("blocked", why, tell=() if known == problems else (told,))
        around.broken.pop(job.name, None)
        held = held_back(job, around.library.config(), now, around.asks)
        return None if held is None else self.held(cast("FiringState", held.state), held.why, held.hint)

    def held(self, state: FiringState, why: str, hint: str = "") -> FiringResult:
        """What cannot be told is told to somebody; a freeze or an alert that holds it back is as it was wanted."""
        if state != "blocked":
            return FiringResult(state, why)
        return FiringResult(state, why, tell=(self.note("failed", why, hint=hint),))

    def not_written(self, error: JournalError) -> FiringResult:
        """A run whose journal failed: what was under way stands in its words, and how to go on in its hint."""
        why = redact(f"{error}; {error.hint}")
        told = structs.replace(
            self.note("failed", why), run=error.run, command=self.around.command("resume", error.run)
        )
        return FiringResult("failed", why, error.run, (told,))

    def plan(self, hosts: Sequence[Host], connectors: Connectors) -> FiringResult:
        """Says what would be done, and keeps it: as a plan for a person, and as a row for the score."""
        job = self.job
        arguments = PlanArguments(
            runbook=job.runbook,
            hosts=tuple(hosts),
            connectors=connectors,
            library=self.around.library,
            state=self.around.state,
            store=self.around.store,
            parameters=job.parameters,
            actor=actor_of(job),
            waits=True,
            besides=SCORED_BY,
            distribute=self.around.distribute,
        )
        try:
            planned = plan_each(arguments, _looked, stop=self.stop)
        except Interrupted:  # a host that is alone
            return self._cut(self.stop.why)
        looked, tell = planned.hosts, list[Notification]()
        shadows: list[Shadow] = []
        for one in looked:
            if one.plan is not None and any(step.gate for step in one.plan.changes):
                path = plan_path(self.around.state, job.name, one.host, one.plan.identity)
                save(path, arguments, [one.plan])
                withdraw_others(self.around.state, path, one.host)
                shadows += shadows_of(job, self.moment, one.plan)
                steps = {step.name: "" for step in one.plan.changes if step.gate}
                tell.append(self._waits(one.host, path, steps, one.evidence))
        cut = [one.host for one in looked if isinstance(one.error, Interrupted)]
        failed = [one for one in looked if one.trouble and one.host not in cut]
        tell += [self.note(one.occasion, one.trouble, one.host, getattr(one.error, "hint", "")) for one in failed]
        seen = sightings_of(job, self.moment, planned.runbook.name, [(one.host, one.seen) for one in looked])
        end = _planned(failed, shadows)._replace(tell=tuple(tell))
        if cut:
            end = self._cut(f"{self.stop.why}; not read: {some_of(cut)}", tell)
        return end._replace(shadows=tuple(shadows), sightings=seen)

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
            kept_as=job.name,
            unblocks=True,
            lock_patience=job.schedule.misfire_grace,
            distribute=self.around.distribute,
        )
        consent = ScheduledConsent(job.name, job.max_risk, Consents(job.allow), SystemClock().now)
        return self._ran(run(arguments, consent, stop=self.stop))

    def note(self, occasion: Occasion, why: str, host: str = "", hint: str = "") -> Notification:
        """What is told of a host, or of the firing as a whole, and what helps."""
        job, whom = self.job, f"{host}: " if host else ""
        return Notification(
            occasion=occasion,
            key=f"schedule:{job.name}:{host}:{occasion}",
            at=SystemClock().now().utc,
            verdict=redact(f"schedule {job.name}: {whom}{why}"),
            host=host,
            runbook=job.runbook,
            schedule=job.name,
            evidence=(f"firing {self.moment.id}", f"set in {job.where}", *helps(hint)),
            command=self.around.command("schedule", "firings", job.name),
        )

    def _ran(self, result: RunResult) -> FiringResult:
        tell = []
        for report in result.reports:
            if report.outcome in CUT and not goes_on(report):
                continue  # it was stopped, and is not in trouble
            if (saved := result.saved.get(report.host)) is not None:
                steps = {step.name: step.why for step in report.steps if step.state == "refused"}
                withdraw_others(self.around.state, saved, report.host)
                waits = structs.replace(self._waits(report.host, saved, steps, ()), run=result.run_id)
                tell.append(if_held_back(waits, report, saved))
            elif report.outcome not in WELL:
                tell.append(if_held_back(self._of_host(report, result.run_id), report))
        state = state_of(result)
        if state == "interrupted":
            return self._cut(
                cut_words(result, self.stop.why, self.around.command("resume", result.run_id)), tell, run=result.run_id
            )
        return FiringResult(state, why_of(result), result.run_id, tuple(tell))

    def _cut(self, why: str, tell: Sequence[Notification] = (), run: str = "") -> FiringResult:
        """Ended early: by the scheduler's stop, which is nobody's failure; or since its time was over, which is one."""
        if not self.stop.timed_out:
            return FiringResult("interrupted", why, run, tuple(tell))
        return FiringResult("failed", why, run, (*tell, self.note("failed", why)))

    def _of_host(self, report: HostReport, run: str) -> Notification:
        why = ": ".join(filter(None, (report.outcome, report.why)))
        found = self.note(OCCASIONS.get(report.outcome, "failed"), why, report.host)
        steps = (f"{step.name}: {step.state}{f' ({step.why})' if step.why else ''}" for step in report.steps)
        command = self.around.command(*next_words(report, run))
        return structs.replace(found, run=run, evidence=(*map(redact, steps), *helps(report.hint)), command=command)

    def _waits(self, host: str, path: Path, steps: Mapping[str, str], evidence: Sequence[str]) -> Notification:
        """`steps` are the names of what waits, and why. A plan of other steps than before is told anew."""
        lines = [f"{name}: {why}" if why else name for name, why in steps.items()]
        found = self.note("needs-approval", f"a plan waits for a person: {some_of(lines)}", host)
        said = (*(redact(one) for one in (*evidence, *lines)), f"all that wait: {self.around.command('pending')}")
        key = ":".join((found.key, *sorted(steps)))
        return structs.replace(found, key=key, evidence=said, command=self.around.command("apply", str(path)))


def actor_of(job: ScheduledRun) -> Actor:
    """Who does it: the schedule, on this control node, with the rights of this process."""
    return structs.replace(
        this_actor(), user=f"schedule:{job.name}", sudo_user="", login_user="", ssh_client="", tty=""
    )


def _looked(planned: Planned, held: HeldUp) -> _Looked:
    diagnosis = planned.diagnosis
    firing = [one.name for one in diagnosis.findings if one.state == "firing"] if diagnosis else []
    plan, error = planned.plan, planned.reached.error
    trouble = str(error).removeprefix(f"{planned.reached.name}: ") if error is not None else not_well(diagnosis, plan)
    return _Looked(planned.reached.name, plan, trouble, error, seen_there(planned, held), tuple(firing))


def _planned(failed: Sequence[_Looked], shadows: Sequence[Shadow]) -> FiringResult:
    if failed:
        return FiringResult("failed", some_of([f"{one.host}: {one.trouble}" for one in failed]))
    if not shadows:
        return FiringResult("done", "nothing would be changed")
    hosts = dict.fromkeys(one.host for one in shadows)
    return FiringResult("waits", some_of([f"{host}: plan saved" for host in hosts]))
