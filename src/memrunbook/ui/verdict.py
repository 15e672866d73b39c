"""The first line of a diagnosis or a plan: what is wrong, who causes it, what to do."""

from __future__ import annotations

from memrunbook.core.plan.diagnosis import Diagnosis, RunbookDiagnosis
from memrunbook.core.plan.plan import Plan
from memrunbook.ui.block import Line, Span, Text, line, text
from memrunbook.ui.suspects import sentence
from memrunbook.ui.words import SEVERITY_STYLES, plural


def plan_verdict(entry: RunbookDiagnosis, plan: Plan) -> Line:
    """The verdict above a plan for one runbook."""
    if entry.incident.state == "fails":
        return line(Span("OK", "good"), f": no {_lower(entry.title)} on ", Span(plan.host), "; nothing to do")
    if entry.incident.state == "unknown":
        why = entry.incident.why or "its checks are unknown"
        return line(Span("UNKNOWN", "unknown"), f": is it {_lower(entry.title)}? ", why, "; nothing would be changed")
    word = Span(entry.title.upper(), SEVERITY_STYLES[entry.severity])
    return line(word, ": ", _who(entry, plan.host), "; ", _steps(plan))


def diagnosis_verdict(diagnosis: Diagnosis, options: str) -> Line:
    """The verdict above the diagnosis of one host by all runbooks."""
    if diagnosis.incidents:
        return _incident_verdict(diagnosis.incidents[0], diagnosis.host, options)
    unknown = [entry for entry in diagnosis.runbooks if entry.incident.state == "unknown"]
    if unknown:
        names = ", ".join(entry.runbook for entry in unknown)
        return line(Span("UNKNOWN", "unknown"), ": no incident is proven on ", Span(diagnosis.host), f", but {names} ",
                    "cannot be judged; see what could not be read below")  # fmt: skip
    firing = sum(finding.state == "firing" for entry in diagnosis.runbooks for finding in entry.findings)
    noticed = f"; {plural(firing, 'thing')} to know below" if firing else ""
    return line(Span("OK", "good"), ": nothing is wrong with the memory of ", Span(diagnosis.host), noticed)


def _incident_verdict(entry: RunbookDiagnosis, host: str, options: str) -> Line:
    word = Span(entry.severity.upper(), SEVERITY_STYLES[entry.severity])
    return line(word, f": {_lower(entry.title)} on ", Span(host), ": ", _who(entry, ""), "; next: ",
                Span(f"runbook plan {entry.runbook} {options}", "hint", whole=True))  # fmt: skip


def _who(entry: RunbookDiagnosis, host: str) -> Text:
    if entry.causes:
        first = entry.causes[0]
        return text(Span(first.name, "strong"), " ", sentence(first))
    firing = [f for f in entry.findings if f.state == "firing"]
    worst = next((f.name for f in firing if f.severity == entry.severity), entry.title)
    return text(_lower(worst), f" on {host}" if host else "")


def _steps(plan: Plan) -> str:
    if plan.changes:
        return f"{plural(len(plan.changes), 'step')} to run"
    blocked = sum(step.decision == "blocked" for step in plan.steps)
    return f"nothing can run: {plural(blocked, 'step')} blocked" if blocked else "no step is needed"


def _lower(title: str) -> str:
    """The title inside a sentence; an abbreviation stays as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
