"""What the checks say, line by line: firing, clear, unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from memrunbook.core.diagnosis import SEVERITIES, CheckState, Finding
from memrunbook.core.fact import Unavailable
from memrunbook.core.snapshot import Snapshot
from memrunbook.ui.block import Note, Row, Span, note, row
from memrunbook.ui.words import counts, evidence_words, severity

ORDER: Sequence[CheckState] = ("firing", "clear", "unknown")
HINTS = {
    "denied": "allow reads as root for this host (sudo)",
    "timeout": "the host answered too slowly: read it again, or with more --patience",
    "failed": "runbook facts --host HOST shows what can be read there",
    "absent": "this kernel or host does not offer it",
}


def finding_counts(findings: Sequence[Finding]) -> str:
    """How many checks say what."""
    return counts((sum(finding.state == state for finding in findings), state) for state in ORDER) or "no checks"


def finding_entries(findings: Iterable[Finding], snapshot: Snapshot) -> list[Row | Note]:
    """One row for each finding, the worst first; unknown ones say why, and once for all alike what to do about it."""
    ordered = sorted(findings, key=lambda finding: (ORDER.index(finding.state), -SEVERITIES.index(finding.severity)))
    known = [entry for finding in ordered if finding.state != "unknown" for entry in _entries(finding)]
    return [*known, *_unknown([finding for finding in ordered if finding.state == "unknown"], snapshot)]


def _entries(finding: Finding) -> list[Row | Note]:
    body = evidence_words(finding.evidence)
    if finding.state == "clear":
        return [row(Span("clear", "good"), finding.name, body=body)]
    explained = [note("", Span(finding.explain, "quiet", whole=True))] if finding.explain else []
    return [row(severity(finding.severity), Span(finding.name, "strong"), body=body), *explained]


def _unknown(findings: Sequence[Finding], snapshot: Snapshot) -> Iterator[Row | Note]:
    alike: dict[str, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(_hint(finding, snapshot), []).append(finding)
    for hint, members in alike.items():
        yield from (row(Span("unknown", "unknown"), finding.name, body=finding.why) for finding in members)
        if hint:
            yield note(Span("hint: ", "hint"), hint)


def _hint(finding: Finding, snapshot: Snapshot) -> str:
    values = [snapshot.value(evidence.metric) for evidence in finding.evidence if evidence.value is None]
    reasons = [value.reason for value in values if isinstance(value, Unavailable)]
    return HINTS[reasons[0]] if reasons else ""
