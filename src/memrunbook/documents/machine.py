"""What `--json` says: the same values as the views, under names that scripts can rely on."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.diagnosis import Diagnosis, RunbookDiagnosis
from memrunbook.core.plan.plan import Plan, PlannedStep
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.record import Signals
from memrunbook.core.run.report import HostReport
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.condition import Evidence


class MachineFinding(Struct, frozen=True):
    """What one check says."""

    runbook: str
    check: str
    state: Literal["firing", "clear", "unknown"]
    severity: str
    evidence: tuple[Evidence, ...]
    why: str


class MachineCause(Struct, frozen=True):
    """Who may be behind an incident."""

    kind: str
    name: str
    score: float


class MachineIncident(Struct, frozen=True):
    """A runbook that applies."""

    runbook: str
    severity: str
    primary: bool
    causes: tuple[MachineCause, ...]


class MachineRunbook(Struct, frozen=True):
    """What a runbook says, whether it applies or not: the worst severity that fires, and who is behind what fires."""

    runbook: str
    severity: str
    incident: Literal["holds", "fails", "unknown"]
    why: str
    causes: tuple[MachineCause, ...]


class MachineStep(Struct, frozen=True):
    """One planned step; `digest` is what an approval is for."""

    id: str
    item: str
    action: str
    decision: Literal["change", "not_needed", "blocked"]
    why: str
    hint: str = ""
    risk: str = "none"
    effect: str = ""
    provisional: bool = False
    summary: str = ""
    target: str = ""
    script: str = ""
    args: tuple[str, ...] = ()
    undo: str = "none"
    verify: str = ""
    digest: str = ""


class MachineHost(Struct, frozen=True, kw_only=True):
    """One host of a diagnosis or a plan; `error` where it could not be read."""

    host: str
    outcome: Literal["ok", "unreachable"]
    identity: HostIdentity = HostIdentity()
    error: str = ""
    findings: tuple[MachineFinding, ...] = ()
    incidents: tuple[MachineIncident, ...] = ()
    runbooks: tuple[MachineRunbook, ...] = ()
    steps: tuple[MachineStep, ...] = ()


class MachineMetric(Struct, frozen=True):
    """One metric of a host; `value` is null where it could not be had, and `why` says so."""

    name: str
    value: Any
    unit: str
    meaning: str
    source: str
    why: str = ""


class MachineRunStep(Struct, frozen=True):
    """How one step ended; `effect` says so where it did not move what it should, `signals` are before and after it."""

    id: str
    item: str
    state: str
    why: str
    seconds: float
    effect: str = ""
    signals: dict[str, Signals] = {}


class MachineRunHost(Struct, frozen=True):
    """How a run ended on one host."""

    host: str
    outcome: str
    why: str
    steps: tuple[MachineRunStep, ...]
    signals: dict[str, Signals]


def host_of(snapshot: Snapshot, diagnoses: tuple[RunbookDiagnosis, ...], primary: str) -> MachineHost:
    """A host's findings and incidents, and what every runbook says."""
    findings = tuple(
        MachineFinding(f.runbook, f.check, f.state, f.severity, f.evidence, f.why)
        for d in diagnoses
        for f in d.findings
    )
    incidents = tuple(
        MachineIncident(d.runbook, d.severity, d.runbook == primary, _causes(d)) for d in diagnoses if d.incident.holds
    )
    runbooks = tuple(
        MachineRunbook(d.runbook, d.severity, d.incident.state, d.incident.why, _causes(d)) for d in diagnoses
    )
    return MachineHost(
        host=snapshot.host,
        outcome="ok",
        identity=snapshot.identity,
        findings=findings,
        incidents=incidents,
        runbooks=runbooks,
    )


def _causes(diagnosis: RunbookDiagnosis) -> tuple[MachineCause, ...]:
    return tuple(MachineCause(cause.kind, cause.name, cause.score) for cause in diagnosis.causes)


def diagnosed_host(diagnosis: Diagnosis, snapshot: Snapshot) -> MachineHost:
    """A host of `diagnose --json`."""
    return host_of(snapshot, diagnosis.runbooks, diagnosis.primary)


def planned_host(runbook: Runbook, diagnosis: RunbookDiagnosis, plan: Plan, snapshot: Snapshot) -> MachineHost:
    """A host of `plan --json`."""
    host = host_of(snapshot, (diagnosis,), runbook.name)
    return msgspec.structs.replace(host, steps=tuple(planned_step(step) for step in plan.steps))


def planned_step(step: PlannedStep) -> MachineStep:
    """A step of `plan --json`."""
    change = step.change
    if change is None:
        return MachineStep(step.id, step.item, step.action, step.decision, step.why, step.hint)
    return MachineStep(
        id=step.id,
        item=step.item,
        action=step.action,
        decision=step.decision,
        why=step.why,
        risk=change.risk.word,
        effect=change.repeat.value,
        provisional=step.provisional,
        summary=change.summary,
        target=change.target,
        script=change.script,
        args=change.args,
        undo=change.undo.mode if change.undo else "none",
        verify=step.verify,
        digest=step.digest,
    )


def metric_of(metric: Metric, snapshot: Snapshot) -> MachineMetric:
    """A metric of `facts --json`."""
    value = snapshot.value(metric.name)
    if isinstance(value, Unavailable):
        return MachineMetric(metric.name, None, metric.unit.value, metric.meaning, metric.source, value.why)
    return MachineMetric(metric.name, msgspec.to_builtins(value), metric.unit.value, metric.meaning, metric.source)


def reported_host(report: HostReport) -> MachineRunHost:
    """A host of the summary of `run --json` and of `report --json`."""
    steps = tuple(
        MachineRunStep(s.id, s.item, s.state, s.why, s.seconds, s.effect, {"before": s.before, "after": s.after})
        for s in report.steps
    )
    signals = {"before": report.before, "after": report.after}
    return MachineRunHost(report.host, report.outcome, report.why, steps, signals)
