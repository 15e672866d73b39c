"""Diagnosis: which checks fire on a snapshot, which runbooks apply, who is behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, structs

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Cause, Check, Runbook
from memrunbook.core.runbook.condition import Evidence, Verdict
from memrunbook.core.runbook.world import World, values_of

CheckState = Literal["firing", "clear", "unknown"]
STATES: dict[str, CheckState] = {"holds": "firing", "fails": "clear", "unknown": "unknown"}
SEVERITIES = ("info", "warning", "critical")
WINDOW = ("window", "in_window", "window_opens_seconds")
"""What services.yaml says of a planned restart: a suspect's own facts."""
SHOWN_CAUSES = 3


class Finding(Struct, frozen=True):
    """What one check says.

    `telling` are the metrics by which it fires, at most three; `decides` is true where the incident applies by it.
    """

    runbook: str
    check: str
    name: str
    state: CheckState
    severity: str
    evidence: tuple[Evidence, ...]
    why: str = ""
    explain: str = ""
    telling: tuple[str, ...] = ()
    decides: bool = False


class Suspect(Struct, frozen=True):
    """Who may be behind an incident; the score only ranks."""

    kind: str
    name: str
    score: float
    facts: dict[str, Any] = {}


class RunbookDiagnosis(Struct, frozen=True):
    """What one runbook says of a host: its checks, whether its incident applies, and the causes."""

    runbook: str
    title: str
    findings: tuple[Finding, ...]
    incident: Verdict
    severity: str
    causes: tuple[Suspect, ...] = ()


class Diagnosis(Struct, frozen=True):
    """What all runbooks say of a host, the primary incident first."""

    host: str
    runbooks: tuple[RunbookDiagnosis, ...]
    primary: str = ""
    subsumed: tuple[str, ...] = ()

    @property
    def incidents(self) -> tuple[RunbookDiagnosis, ...]:
        """The runbooks whose incident applies, the primary first."""
        return tuple(entry for entry in self.runbooks if entry.incident.holds)


def world_of(runbook: Runbook, snapshot: Snapshot) -> World:
    """The world of a runbook on a snapshot, its checks evaluated: once, however often the world is asked for."""
    known = {
        check.variable: verdict.state
        for check, verdict in zip(runbook.checks, _verdicts(runbook, snapshot), strict=True)
    }
    checks = {name: state == "holds" for name, state in known.items() if state != "unknown"}
    return World(snapshot, runbook.metrics, runbook.parameters, checks)


def diagnose_one(runbook: Runbook, snapshot: Snapshot) -> RunbookDiagnosis:
    """What one runbook says of a snapshot."""
    world = world_of(runbook, snapshot)
    verdicts = _verdicts(runbook, snapshot)
    incident = runbook.incident.evaluate(world)
    deciding = runbook.incident.checks_that_hold(world) if incident.holds else frozenset()
    findings = tuple(
        structs.replace(_finding(runbook, check, verdict, world), decides=check.variable in deciding)
        for check, verdict in zip(runbook.checks, verdicts, strict=True)
    )
    firing = [SEVERITIES.index(f.severity) for f in findings if f.state == "firing"]
    severity = SEVERITIES[max(firing)] if firing else "info"
    causes = suspects(runbook, world) if firing else ()
    return RunbookDiagnosis(runbook.name, runbook.spec.title, findings, incident, severity, causes)


def diagnose(runbooks: Sequence[Runbook], snapshot: Snapshot, seen: Mapping[str, Snapshot] | None = None) -> Diagnosis:
    """What all runbooks say of a snapshot: incidents by severity, what another one subsumes below it.

    `seen` holds, by runbook, the snapshot with the events marked that this runbook has handled.
    """
    # Copies: what is worked out of a snapshot here goes with them, and a fleet's snapshots stay as small as they were.
    here = structs.replace(snapshot)
    entries = [diagnose_one(runbook, _seen_by(runbook, here, seen)) for runbook in runbooks]
    firing = {entry.runbook for entry in entries if entry.incident.holds}
    below = {name for runbook in runbooks if runbook.name in firing for name in runbook.spec.subsumes if name in firing}

    def rank(entry: RunbookDiagnosis) -> tuple[bool, bool, int, str]:
        return (not entry.incident.holds, entry.runbook in below, -SEVERITIES.index(entry.severity), entry.runbook)

    ordered = tuple(sorted(entries, key=rank))
    primary = ordered[0].runbook if ordered and ordered[0].incident.holds else ""
    return Diagnosis(snapshot.host, ordered, primary, tuple(sorted(below - {primary})))


def suspects(runbook: Runbook, world: World) -> tuple[Suspect, ...]:
    """The highest scores of all causes, best first, each name once; a cause that cannot be computed names nobody."""
    found = [suspect for cause in runbook.causes for suspect in _suspects(cause, world)]
    ranked = sorted(found, key=lambda suspect: suspect.score)
    once = {(suspect.kind, suspect.name): suspect for suspect in ranked}
    return tuple(sorted(once.values(), key=lambda suspect: -suspect.score)[:SHOWN_CAUSES])


def _suspects(cause: Cause, world: World) -> Iterable[Suspect]:
    items: Any = cause.items.value(world) if cause.items else [{}]
    if isinstance(items, Unavailable):
        return
    for item in items:
        here = world.at(item=item)
        name, score = cause.name.value(here), cause.score.value(here)
        if isinstance(name, str) and isinstance(score, int | float) and score > 0:
            yield Suspect(cause.spec.kind, name, float(score), _known(item) if isinstance(item, dict) else {})


def _known(item: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a suspect, and the window that its owner gives it."""
    policy = item.get("policy") or {}
    windows = {name: policy[name] for name in WINDOW} if policy.get("window") else {}
    return {name: value for name, value in item.items() if not isinstance(value, dict)} | windows


def _verdicts(runbook: Runbook, snapshot: Snapshot) -> tuple[Verdict, ...]:
    """What each check says; kept with the snapshot for the runbook that asked last."""
    values = values_of(snapshot, runbook.metrics)
    asked, verdicts = values.judged
    if asked is not runbook:
        world = World(snapshot, runbook.metrics, runbook.parameters)
        verdicts = tuple(check.when.verdict(world) for check in runbook.checks)
        values.judged = (runbook, verdicts)
    found: tuple[Verdict, ...] = verdicts
    return found


def _seen_by(runbook: Runbook, here: Snapshot, seen: Mapping[str, Snapshot] | None) -> Snapshot:
    """The snapshot as a runbook sees it; what it reads as all others do is worked out once for all of them."""
    own = (seen or {}).get(runbook.name, here)
    if own.readings is here.readings:
        return here
    copy = structs.replace(own)
    values_of(copy, runbook.metrics, alike=here)
    return copy


def _finding(runbook: Runbook, check: Check, verdict: Verdict, world: World) -> Finding:
    spec, state = check.spec, STATES[verdict.state]
    evidence = check.when.named(world) if verdict.holds else check.when.evidence(world)
    telling = check.when.deciding(world) if verdict.holds else ()
    return Finding(runbook.name, spec.id, spec.name, state, spec.severity, evidence, verdict.why, spec.explain, telling)
