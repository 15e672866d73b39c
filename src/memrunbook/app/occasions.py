"""What of the end of a run somebody is told who did not see it: which occasion, the evidence, the command to go on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from memrunbook.app.going_on import resume_in
from memrunbook.app.run_arguments import RunResult
from memrunbook.core.plan.approval import people_for
from memrunbook.core.plan.diagnosis import Finding
from memrunbook.core.plan.limits import STORM
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.core.runbook.condition import Evidence
from memrunbook.core.units import Unit, format_value
from memrunbook.documents.config import Config
from memrunbook.ui.approve import AT_A_TERMINAL, BY_A_PERSON, OFFERED

OCCASIONS: Mapping[Reported, Occasion] = {
    "failed": "failed",
    "unknown": "failed",
    "unresolved": "unresolved",
    "improved": "unresolved",
    "unreachable": "unreachable",
    "refused": "refused",
}
"""By how a run ended. Who interrupted one knows of it; a host that was not begun stands behind others that failed."""
TELLING = frozenset({"failed", "refused", "undone", "unknown", "blocked", "interrupted"})
MOST_STEPS, MOST_FINDINGS = 5, 4


def notifications_of(result: RunResult, runbook: str, config: Config, now: float) -> list[Notification]:
    """One for each host with which something is wrong; none for the others, nor for what a person declined there."""
    end = _End(result, runbook, config, now)
    return [one for report in result.reports if (one := end.of_host(report)) is not None]


def report_command(run: str) -> str:
    """What shows a run."""
    return shlex.join(["runbook", "report", run])


def breaker_key(runbook: str, host: str, why: str) -> str:
    """The trouble, where limits hold back: many hosts that want the same are one, whichever of them came last."""
    return f"breaker-open {runbook} {STORM if STORM in why else host}"


def if_held_back(one: Notification, report: HostReport, saved: Path | None = None) -> Notification:
    """What is told of a host in other words, as what it is where limits hold its runbook back."""
    if occasion_of(report, saved) != "breaker-open":
        return one
    why = "; ".join([report.why, *(step.why for step in report.steps if step.state == "refused")])
    return structs.replace(one, occasion="breaker-open", key=breaker_key(one.runbook, report.host, why))


@dataclass(frozen=True)
class _End:
    """How a run ended; `now` is in seconds since 1970."""

    result: RunResult
    runbook: str
    config: Config
    now: float

    def of_host(self, report: HostReport) -> Notification | None:
        """What is told of one host, if anything is."""
        refused = [step for step in report.steps if step.state == "refused"]
        saved = self.result.saved.get(report.host)
        occasion = occasion_of(report, saved)
        if occasion is None:
            return None
        first = next(iter(refused), None)
        why = f"{first.summary or first.name}: {first.why}" if first is not None and saved is not None else report.why
        words = "a plan waits for a person" if occasion == "needs-approval" else report.outcome
        return Notification(
            occasion=occasion,
            key=breaker_key(self.runbook, report.host, why)
            if occasion == "breaker-open"
            else f"{occasion} {self.runbook} {report.host}",
            at=self.now,
            verdict=f"{report.host}: {self.runbook}: {words}{': ' if why else ''}{why}",
            host=report.host,
            runbook=self.runbook,
            run=self.result.run_id,
            evidence=tuple(_evidence(report)),
            command=self._command(report, saved),
        )

    def _command(self, report: HostReport, saved: Path | None) -> str:
        if saved is None or report.begun is None:
            return shlex.join(["runbook", *(resume_in(report.hint) or ("report", self.result.run_id))])
        people = people_for(self.config.approvals, [report.begun.plan])
        return shlex.join(["runbook", "approve" if people else "apply", str(saved)])


def occasion_of(report: HostReport, saved: Path | None) -> Occasion | None:
    """Why somebody is told of a host; None where nobody is. `saved` is the plan of a gate that refused."""
    refused = [step for step in report.steps if step.state == "refused"]
    occasion = OCCASIONS.get(report.outcome)
    if occasion != "refused":
        return occasion
    if refused and all(map(_by_a_person, refused)):
        return None
    if any(map(_held_back, refused)) or _held_late(report):
        return "breaker-open"
    return "refused" if saved is None else "needs-approval"


def _by_a_person(step: StepFinished) -> bool:
    return step.why.startswith(BY_A_PERSON)


def _held_back(step: StepFinished) -> bool:
    """True where a limit refused it, which no consent given beforehand can spare."""
    return step.why.endswith(AT_A_TERMINAL) and OFFERED not in step.why


def _held_late(report: HostReport) -> bool:
    """True where a limit refused it in the moment before it, since others were quicker."""
    from memrunbook.state.store.changes import PERSON

    return report.hint == PERSON


def _evidence(report: HostReport) -> Iterator[str]:
    if report.begun is not None:
        findings = [one for one in report.begun.diagnosis.findings if one.state == "firing"]
        findings.sort(key=lambda one: not one.decides)
        yield from map(_finding, findings[:MOST_FINDINGS])
        yield from (f"suspect: {one.kind} {one.name}" for one in report.begun.diagnosis.causes[:1])
    steps = [step for step in report.steps if step.state in TELLING]
    yield from (step.told for step in steps[:MOST_STEPS])
    yield from report.held
    if report.hint:
        yield f"hint: {report.hint}"


def _finding(one: Finding) -> str:
    known = ", ".join(_value(item) for item in one.evidence[:3])
    return f"{one.severity}: {one.name}{': ' if known else ''}{known}"


def _value(one: Evidence) -> str:
    names = ", ".join(item.name for item in one.items if item.name)
    value = "unknown" if one.value is None else format_value(one.value, Unit(one.unit))
    return f"{one.metric} {value}{f' ({names})' if names else ''}"
