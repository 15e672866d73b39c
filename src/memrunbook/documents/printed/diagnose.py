"""`runbook diagnose --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from memrunbook.core.action.policy import Care
from memrunbook.core.errors import Interrupted, RunbookError
from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.headline import HostOutcome
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.judged import Judged
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.ranking import OUTCOMES, Alike, Ranking, of_kind
from memrunbook.core.plan.rules import host_off_words
from memrunbook.core.plan.standing import Word, standing
from memrunbook.core.reading.probe import quoted
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Evidence
from memrunbook.documents.printed import Document

Severity = Literal["critical", "warning", "unknown", "ok"]
SEVERITIES_PRINTED: Mapping[Word, Severity] = {
    "CRITICAL": "critical",
    "WARNING": "warning",
    "UNKNOWN": "unknown",
    "OK": "ok",
}


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


class PrintedGroup(Struct, frozen=True, kw_only=True):
    """Hosts of which the same is said: in the same trouble, by the same cause; their figures may differ.

    `runbook` is the one that applies, else that whose finding is the worst; `cause` is who is behind it, instances of
    one unit as one (app@*.service). `told` is the sentence about them, `next` the command to type, empty for none.
    """

    severity: Severity
    outcome: HostOutcome
    hosts: tuple[str, ...]
    told: str
    runbook: str = ""
    applies: bool = False
    cause: PrintedKind | None = None
    hint: str = ""
    next: str = ""


class PrintedKind(Struct, frozen=True):
    """Who is behind the trouble of a group."""

    kind: str
    name: str


class PrintedCounts(Struct, frozen=True, kw_only=True):
    """How many hosts there are, with which word, and of those that are unknown why."""

    hosts: int
    critical: int
    warning: int
    unknown: int
    ok: int
    unreachable: int
    interrupted: int
    not_judged: int


class DiagnoseDocument(Document, frozen=True, kw_only=True):
    """runbook diagnose --json.

    `verdict` is the first line of the page over all hosts; `groups` holds every host once, the worst groups first.
    """

    format: Literal["memrunbook.diagnose/1"] = "memrunbook.diagnose/1"
    hosts: tuple[PrintedHost, ...]
    verdict: str = ""
    counts: PrintedCounts | None = None
    groups: tuple[PrintedGroup, ...] = ()


def diagnose_document(
    hosts: Iterable[PrintedHost], ranking: Ranking, verdict: str, told: Iterable[tuple[str, str]]
) -> DiagnoseDocument:
    """The hosts of a diagnosis and their ranking; `told` has the sentence and the next command of each group."""
    groups = tuple(_group(group, words, command) for group, (words, command) in zip(ranking.groups, told, strict=True))
    return DiagnoseDocument(hosts=tuple(hosts), verdict=verdict, counts=_counts(ranking), groups=groups)


def _counts(ranking: Ranking) -> PrintedCounts:
    unknown: dict[HostOutcome, int] = {outcome: ranking.count("UNKNOWN", outcome) for outcome in OUTCOMES}
    return PrintedCounts(
        hosts=len(ranking.hosts),
        critical=ranking.count("CRITICAL"),
        warning=ranking.count("WARNING"),
        unknown=ranking.count("UNKNOWN"),
        ok=ranking.count("OK"),
        unreachable=unknown["unreachable"],
        interrupted=unknown["interrupted"],
        not_judged=unknown["not-judged"],
    )


def _group(group: Alike, told: str, command: str) -> PrintedGroup:
    first = group.first
    suspect = first.culprit if first.finding is not None else first.incident.suspect if first.incident else None
    worst = first.finding.runbook if first.finding is not None else ""
    return PrintedGroup(
        severity=SEVERITIES_PRINTED[first.word],
        outcome=first.outcome,
        hosts=tuple(one.name for one in group.hosts),
        told=told,
        runbook=first.incident.runbook if first.incident else worst,
        applies=first.incident is not None,
        cause=PrintedKind(suspect.kind, of_kind(suspect.name)) if suspect else None,
        hint=first.hint,
        next=command,
    )


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
