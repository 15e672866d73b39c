"""What a firing that only plans keeps of each host for the score: what it found there, and what it would have done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memrunbook.app.scheduled_consent import permitted
from memrunbook.core.errors import Interrupted
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.shadows import HostFound, HostSighting, Shadow
from memrunbook.core.reading.baseline import KILLS
from memrunbook.core.schedule import Moment
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact

if TYPE_CHECKING:
    from memrunbook.app.held_up import HeldUp
    from memrunbook.core.plan.judged import Planned
    from memrunbook.core.plan.plan import Plan


SCORED_BY = (KILLS.partition(".")[0],)
"""The facts that the score needs, whatever the runbook reads."""


class SeenThere(NamedTuple):
    """What a firing found of a host, at a moment (seconds since 1970), and why it is no more than that."""

    found: HostFound
    at: float
    runbook: str = ""
    machine: str = ""
    boot: str = ""
    kills: int | None = None
    why: str = ""


def seen_there(planned: Planned, held: HeldUp) -> SeenThere | None:
    """What is kept of a host; None where nobody looked, since the scheduler was stopped."""
    error, snapshot, plan, diagnosis = planned.reached.error, planned.reached.snapshot, planned.plan, planned.diagnosis
    if snapshot is None or plan is None or diagnosis is None:
        why = redact(str(error)) if error is not None else ""
        return None if isinstance(error, Interrupted) else SeenThere("unreached", SystemClock().now().utc, why=why)
    found, why = _found(plan, diagnosis.incident.state, held)
    kills, identity = snapshot.value(KILLS), snapshot.identity
    return SeenThere(
        found, snapshot.taken_at.utc, plan.runbook, identity.machine_id, identity.boot_id,
        kills if isinstance(kills, int) else None, why or (diagnosis.incident.why if found == "unknown" else ""),
    )  # fmt: skip


def sightings_of(
    job: ScheduledRun, moment: Moment, runbook: str, seen: Iterable[tuple[str, SeenThere | None]]
) -> tuple[HostSighting, ...]:
    """What is kept of the hosts of a firing, each by its name; `runbook` is whose those are that were not reached."""
    return tuple(
        HostSighting(
            schedule=job.name, host=host, runbook=one.runbook or runbook, found=one.found, firing=moment.id,
            since=one.at, until=one.at, machine=one.machine, boot=one.boot, kills=one.kills, why=one.why,
        )
        for host, one in seen
        if one is not None
    )  # fmt: skip


def shadows_of(job: ScheduledRun, moment: Moment, plan: Plan) -> Iterator[Shadow]:
    """The changes of a plan that a gate stands before, and whether the schedule itself could answer there."""
    allow = Consents(job.allow)
    for step in plan.changes:
        change = step.change
        if change is not None and step.gate:
            yield Shadow(
                firing=moment.id, schedule=job.name, host=plan.host, machine=plan.identity.machine_id,
                runbook=plan.runbook, at=plan.taken_at.utc, step=step.label, action=change.action,
                target=redact(change.target), summary=redact(change.summary), digest=step.digest,
                risk=int(change.risk), asks=not permitted(change, job.max_risk, allow), provisional=step.provisional,
            )  # fmt: skip


def _found(plan: Plan, incident: str, held: HeldUp) -> tuple[HostFound, str]:
    if any(step.gate for step in plan.changes):
        if held.off or held.freezes:
            return "stuck", held.off or held.freezes[0].told
        return "acts", ""
    if incident == "holds":
        return "stuck", next((step.why for step in plan.steps if step.decision == "blocked"), "")
    return ("unknown" if incident == "unknown" else "over"), ""
