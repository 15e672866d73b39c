"""The first line of a diagnosis or a plan: the worst that stands, who causes it, what to do."""

from __future__ import annotations

from collections.abc import Mapping

from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.headline import Headline, culprit
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.standing import Standing, Word, standing
from memrunbook.ui.block import Line, Span, Style, Text, line, text
from memrunbook.ui.trouble import behind_words, lower, noticed_words, trouble_words, unjudged_words
from memrunbook.ui.words import SEVERITY_STYLES, plural

STYLES: dict[Word, Style] = {"CRITICAL": "critical", "WARNING": "warning", "UNKNOWN": "unknown", "OK": "good"}


def plan_verdict(entry: RunbookDiagnosis, plan: Plan) -> Line:
    """The verdict above a plan for one runbook."""
    word = standing([entry]).word
    holds = Span(entry.title.upper(), SEVERITY_STYLES[entry.severity])
    return line(holds if entry.incident.holds else Span(word, STYLES[word]), ": ", plan_words(entry, plan))


def plan_words(entry: RunbookDiagnosis, plan: Plan) -> Text:
    """Who is behind the incident and what the plan would do, or why there is nothing to do."""
    if entry.incident.holds:
        return text(_who(entry, plan.host), "; ", _steps(plan))
    stands = standing([entry])
    noticed = _noticed(stands, entry, plan.host)
    if stands.unjudged:
        why = entry.incident.why or "its checks are unknown"
        return text(noticed, f"whether {entry.runbook} applies could not be judged: {why}; nothing would be changed")
    if stands.apart and stands.word != "OK":
        return text(noticed, f"{entry.runbook} does not apply; nothing to do")
    return text(f"{entry.runbook} does not apply to ", Span(plan.host), "; nothing to do")


def diagnosis_verdict(one: Headline, commands: Mapping[str, str]) -> Line:
    """The verdict above the diagnosis of one host by all runbooks; `commands` are the next ones by runbook."""
    word = Span(one.word, STYLES[one.word])
    if one.word == "UNKNOWN":
        return line(word, ": ", unjudged_words([one], one.name), "; see what could not be read below")
    if one.word == "OK":
        noticed = f"; {plural(len(one.remarks), 'thing')} to know below" if one.remarks else ""
        return line(word, ": nothing is wrong with the memory of ", Span(one.name), noticed)
    return line(word, ": ", trouble_words([one], one.name, commands[one.incident.runbook] if one.incident else ""))


def _noticed(stands: Standing, entry: RunbookDiagnosis, host: str) -> Text:
    """The worst finding outside of incidents, and who is behind it."""
    if not stands.apart or stands.apart[0].severity == "info":
        return ()
    finding = stands.apart[0]
    suspect = culprit(finding, entry.causes)
    return text(noticed_words([finding], [suspect] if suspect else [], host), "; ")


def _who(entry: RunbookDiagnosis, host: str) -> Text:
    if entry.causes:
        return behind_words(entry.causes[:1])
    firing = [f for f in entry.findings if f.state == "firing"]
    worst = next((f.name for f in firing if f.severity == entry.severity), entry.title)
    return text(lower(worst), f" on {host}")


def _steps(plan: Plan) -> str:
    if plan.changes:
        return f"{plural(len(plan.changes), 'step')} to run"
    blocked = sum(step.decision == "blocked" for step in plan.steps)
    return f"nothing can run: {plural(blocked, 'step')} blocked" if blocked else "no step is needed"
