"""`runbook diagnose --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.action.policy import Care
from memrunbook.core.errors import Interrupted, RunbookError
from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.judged import Judged
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.rules import host_off_words
from memrunbook.core.plan.standing import standing
from memrunbook.core.reading.probe import quoted
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Evidence
from memrunbook.documents.printed import Document


class PrintedFinding(Struct, frozen=True):
    """What one check says."""

    runbook: str
    check: str
    state: Literal["firing", "clear", "unknown"]
    severity: str
    evidence: tuple[Evidence, ...]
    why: str


class PrintedCause(Struct, frozen=True):
    """Who may be behind an incident."""

    kind: str
    name: str
    score: float


class PrintedIncident(Struct, frozen=True):
    """A runbook that applies."""

    runbook: str
    severity: str
    primary: bool
    causes: tuple[PrintedCause, ...]


class PrintedRunbook(Struct, frozen=True):
    """What a runbook says, whether it applies or not: the worst severity that fires, and who is behind what fires."""

    runbook: str
    severity: str
    incident: Literal["holds", "fails", "unknown"]
    why: str
    causes: tuple[PrintedCause, ...]


class PrintedStep(Struct, frozen=True):
    """One planned step; `digest` is what an approval is for.

    `drain`, `health` and `undrain` are the commands of services.yaml around it; `refused`: a rule of safety says no.
    """

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
    drain: str = ""
    health: str = ""
    undrain: str = ""
    refused: bool = False


class PrintedHost(Struct, frozen=True, kw_only=True):
    """One host of a diagnosis or a plan; `error` where it could not be read.

    `not-judged`: whether an incident applies is not known; `unjudged` names the runbooks that could not be judged.
    `worst` is the worst that stands, incident or not. `no_root` is what sudo said where it gave no root.
    `switched_off` is why nothing may be changed there now.
    """

    host: str
    outcome: Literal["judged", "not-judged", "unreachable", "interrupted"]
    worst: Literal["critical", "warning", "info", "none"] = "none"
    unjudged: tuple[str, ...] = ()
    no_root: str = ""
    identity: HostIdentity = HostIdentity()
    error: str = ""
    findings: tuple[PrintedFinding, ...] = ()
    incidents: tuple[PrintedIncident, ...] = ()
    runbooks: tuple[PrintedRunbook, ...] = ()
    steps: tuple[PrintedStep, ...] = ()
    held: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()


class DiagnoseDocument(Document, frozen=True, kw_only=True):
    """runbook diagnose --json."""

    format: Literal["memrunbook.diagnose/1"] = "memrunbook.diagnose/1"
    hosts: tuple[PrintedHost, ...]


def diagnose_document(hosts: Iterable[Judged], off: str = "") -> DiagnoseDocument:
    """The hosts of a diagnosis; `off` is why nothing may be changed on any of them."""
    return DiagnoseDocument(hosts=tuple(printed_host(judged, off) for judged in hosts))


def printed_host(judged: Judged, off: str = "") -> PrintedHost:
    """One host of a diagnosis; `off` is why nothing may be changed on any of them."""
    snapshot, diagnosis = judged.reached.snapshot, judged.diagnosis
    if snapshot is None or diagnosis is None:
        return unreached(judged.reached.name, judged.reached.error)
    return host_of(snapshot, diagnosis.runbooks, diagnosis.primary, off=off)


def unreached(name: str, error: RunbookError | None) -> PrintedHost:
    """A host that could not be read, or not to its end."""
    cut_short = isinstance(error, Interrupted)
    return PrintedHost(host=name, outcome="interrupted" if cut_short else "unreachable", error=str(error))


def host_of(
    snapshot: Snapshot,
    diagnoses: tuple[RunbookDiagnosis, ...],
    primary: str,
    steps: Iterable[PlannedStep] = (),
    *,
    off: str = "",
) -> PrintedHost:
    """A host's findings and incidents, what every runbook says, and the steps of a plan."""
    stands = standing(diagnoses)
    return PrintedHost(
        host=snapshot.host,
        outcome="judged" if stands.judged else "not-judged",
        worst=stands.worst,
        unjudged=stands.unjudged,
        no_root=snapshot.no_root,
        identity=snapshot.identity,
        findings=tuple(
            PrintedFinding(f.runbook, f.check, f.state, f.severity, f.evidence, f.why)
            for d in diagnoses
            for f in d.findings
        ),
        incidents=tuple(
            PrintedIncident(d.runbook, d.severity, d.runbook == primary, _causes(d))
            for d in diagnoses
            if d.incident.holds
        ),
        runbooks=tuple(
            PrintedRunbook(d.runbook, d.severity, d.incident.state, d.incident.why, _causes(d)) for d in diagnoses
        ),
        steps=tuple(_step(step) for step in steps),
        held=held_words(snapshot),
        switched_off=tuple(words for words in (off, host_off_words(snapshot)) if words),
    )


def _causes(diagnosis: RunbookDiagnosis) -> tuple[PrintedCause, ...]:
    return tuple(PrintedCause(cause.kind, cause.name, cause.score) for cause in diagnosis.causes)


def _step(step: PlannedStep) -> PrintedStep:
    change = step.change
    if change is None:
        return PrintedStep(step.id, step.item, step.action, step.decision, step.why, step.hint, refused=step.rule)
    care = change.care or Care()
    return PrintedStep(
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
        drain=quoted(care.drain),
        health=quoted(care.health),
        undrain=quoted(care.undrain),
    )
