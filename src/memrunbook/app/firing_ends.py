"""How a firing ends, by what was seen of its hosts: the worst of them counts, and what was not judged is not well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memrunbook.app.going_on import resume_in
from memrunbook.app.run_arguments import RunResult
from memrunbook.core.run.failures import WELL
from memrunbook.core.run.notification import Occasion
from memrunbook.runtime.redaction import redact

if TYPE_CHECKING:
    # The database is loaded by whoever opens it.
    from memrunbook.core.plan.diagnosis import RunbookDiagnosis
    from memrunbook.core.plan.plan import Plan
    from memrunbook.core.run.report import HostReport
    from memrunbook.state.store.firings import FiringState

SAID = 3
CUT = frozenset({"interrupted", "running", "not_begun"})
"""Outcomes of hosts that were not come to, or not to their end."""
OCCASIONS: dict[str, Occasion] = {
    "refused": "refused",
    "not_begun": "refused",
    "unreachable": "unreachable",
    "unresolved": "unresolved",
    "improved": "unresolved",
    "interrupted": "unresolved",
}
"""What somebody is told of a run's end, by its outcome; of any other it failed."""
ANEW = "nothing is open; the next firing begins anew"


def state_of(result: RunResult) -> FiringState:
    """The worst of what happened on its hosts; a gate that refused and saved its plan is one that waits."""
    outcomes = {one.outcome for one in result.reports if one.host not in result.saved} - WELL
    if result.stopped or outcomes & {"interrupted", "running"}:
        return "interrupted"
    if outcomes - {"refused", "not_begun"}:
        return "failed"
    return "waits" if result.saved else "refused" if outcomes else "done"


def why_of(result: RunResult) -> str:
    """What is to be said of the hosts that are not well."""
    return some_of([_told(one) for one in result.reports if one.outcome not in WELL])


def cut_words(result: RunResult, wish: str, command: str) -> str:
    """Why a run was ended early, how far it came, and the `command` that goes on where anything has no end."""
    cut = [one.host for one in result.reports if one.outcome in CUT]
    others = [_told(one) for one in result.reports if one.outcome not in WELL | CUT]
    left = any(goes_on(one) for one in result.reports)
    then = f"{command} goes on" if left else ANEW
    hosts = f"not done, or not to the end: {some_of(cut)}" if cut else ""
    return redact("; ".join(filter(None, (wish, hosts, *others[:SAID], then))))


def goes_on(report: HostReport) -> bool:
    """True where a host was left with something that nobody has seen the end of."""
    left = report.changed or any(step.left for step in report.steps)
    return report.open or (report.outcome in CUT and left)


def next_words(report: HostReport, run: str) -> tuple[str, ...]:
    """What is typed next: what goes on with this run or, where an earlier one is in the way, with that; else a look."""
    return resume_in(report.hint) or ("resume" if goes_on(report) else "report", run)


def not_well(diagnosis: RunbookDiagnosis | None, plan: Plan | None) -> str:
    """Why a host is not well though nothing would be changed there; empty where it is, or where something would be."""
    if diagnosis is None or plan is None or any(step.gate for step in plan.changes):
        return ""
    if diagnosis.incident.state == "unknown":
        return f"whether its incident applies could not be judged: {diagnosis.incident.why}"
    if not diagnosis.incident.holds:
        return ""
    blocked = [f"{step.label}: {step.why}" for step in plan.steps if step.decision == "blocked"]
    return f"its incident applies, and nothing can be done: {some_of(blocked)}" if blocked else ""


def helps(hint: str) -> tuple[str, ...]:
    """A line of evidence that says what helps; none where nobody knows."""
    return (redact(f"what helps: {hint}"),) if hint else ()


def some_of(words: Sequence[str]) -> str:
    """The first few of them."""
    more = f" and {len(words) - SAID} more" if len(words) > SAID else ""
    return redact(f"{'; '.join(words[:SAID])}{more}")


def _told(report: HostReport) -> str:
    return f"{report.host}: {report.outcome}{f', {report.why}' if report.why else ''}"
