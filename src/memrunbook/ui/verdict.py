"""The first line of a diagnosis or a plan: the worst that stands, who causes it, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memrunbook.core.plan.diagnosis import SEVERITIES, Diagnosis, Finding, RunbookDiagnosis, Suspect
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.standing import Standing, Word, standing
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import Line, Span, Style, Text, line, text
from memrunbook.ui.suspects import sentence
from memrunbook.ui.unread import sudo_words
from memrunbook.ui.words import SEVERITY_STYLES, finding_words, items_words, plural

STYLES: dict[Word, Style] = {"CRITICAL": "critical", "WARNING": "warning", "UNKNOWN": "unknown", "OK": "good"}
PEOPLE = ("unit", "process")
HELD = "held"
"""The check by which a runbook applies where somebody holds its incident back."""


def plan_verdict(entry: RunbookDiagnosis, plan: Plan) -> Line:
    """The verdict above a plan for one runbook."""
    if entry.incident.holds:
        word = Span(entry.title.upper(), SEVERITY_STYLES[entry.severity])
        return line(word, ": ", _who(entry, plan.host), "; ", _steps(plan))
    stands, title = standing([entry]), _lower(entry.title)
    word = Span(stands.word, STYLES[stands.word])
    if stands.unjudged:
        why = entry.incident.why or "its checks are unknown"
        asked = f"whether it is {title} could not be judged: {why}; nothing would be changed"
        return line(word, ": ", *_worst_words(stands, [entry], plan.host, "; "), asked)
    if stands.apart and stands.word != "OK":
        return line(
            word, ": ", *_worst_words(stands, [entry], plan.host, "; "), f"that alone is no {title}; nothing to do"
        )
    return line(word, f": no {title} on ", Span(plan.host), "; nothing to do")


def diagnosis_verdict(diagnosis: Diagnosis, stands: Standing, nexts: Mapping[str, str], snapshot: Snapshot) -> Line:
    """The verdict above the diagnosis of one host by all runbooks; `nexts` are the next commands by runbook."""
    first = diagnosis.incidents[0] if diagnosis.incidents else None
    word = Span(stands.word, STYLES[stands.word])
    worse = [one for one in stands.apart if first and SEVERITIES.index(one.severity) > _least(first)]
    if first is not None and not worse:
        return line(word, ": ", _applying(first, diagnosis.host, nexts))
    if stands.word in ("CRITICAL", "WARNING"):
        rest = text("; ", _applying(first, diagnosis.host, nexts)) if first else text("; no runbook cures it")
        unjudged = f"; {_names(stands)} could not be judged" if stands.unjudged else ""
        return line(word, ": ", *_worst_words(stands, diagnosis.runbooks, diagnosis.host), rest, unjudged)
    if stands.word == "UNKNOWN":
        said = sudo_words(snapshot)
        why = text(said, "; ") if said else text()
        return line(word, ": ", why, "no incident is proven on ", Span(diagnosis.host), f", but {_names(stands)} ",
                    "could not be judged; see what could not be read below")  # fmt: skip
    noticed = f"; {plural(len(stands.apart), 'thing')} to know below" if stands.apart else ""
    return line(word, ": nothing is wrong with the memory of ", Span(diagnosis.host), noticed)


def culprit(finding: Finding, causes: Sequence[Suspect]) -> Suspect | None:
    """Who is behind a finding, of those whom its runbook suspects.

    A remark on a setting has no culprit: that some service is large does not stand beside it.
    """
    first = causes[0] if causes else None
    return first if first and (finding.severity != "info" or first.kind not in PEOPLE) else None


def _least(entry: RunbookDiagnosis) -> int:
    return max(SEVERITIES.index(entry.severity), SEVERITIES.index("warning"))


def _applying(entry: RunbookDiagnosis, host: str, nexts: Mapping[str, str]) -> Text:
    deciding = {finding.check for finding in entry.findings if finding.decides}
    held = " may be held back" if deciding == {HELD} else ""
    return text(f"{_lower(entry.title)}{held} on ", Span(host), ": ", _who(entry, ""), "; next: ",
                Span(nexts[entry.runbook], "hint", whole=True))  # fmt: skip


def _worst_words(stands: Standing, entries: Sequence[RunbookDiagnosis], host: str, then: str = "") -> list[Text]:
    """The worst finding outside of incidents, and who is behind it: those whom it names, else its runbook's suspect."""
    if not stands.apart or stands.apart[0].severity == "info":
        return []
    finding = stands.apart[0]
    causes = next((entry.causes for entry in entries if entry.runbook == finding.runbook), ())
    suspect = culprit(finding, causes)
    named = [one for one in finding.evidence if one.items]
    if named:
        who = text(items_words(named[0]))
    else:
        who = text(Span(suspect.name, "strong"), " ", sentence(suspect)) if suspect else finding_words(finding)
    return [text(_lower(finding.name), " on ", Span(host), ": " if who else "", who, then)]


def _names(stands: Standing) -> str:
    return ", ".join(stands.unjudged)


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
