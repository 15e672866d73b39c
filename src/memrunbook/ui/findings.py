"""What the checks say, line by line: firing, clear, unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from memrunbook.core.plan.diagnosis import SEVERITIES, CheckState, Finding
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import Note, Row, Span, note, row
from memrunbook.ui.words import counts, finding_words, severity

ORDER: Sequence[CheckState] = ("firing", "clear", "unknown")
MOST_ALIKE = 4
HINTS = {
    "denied": "allow reads as root for this host (sudo)",
    "timeout": "the host answered too slowly: read it again, or with more --patience",
    "failed": "runbook facts --host HOST shows what can be read there",
    "not yet": "it is known after some readings: diagnose again and again for half an hour, or by a schedule",
}


def finding_counts(findings: Sequence[Finding]) -> str:
    """How many checks say what."""
    return counts((sum(finding.state == state for finding in findings), state) for state in ORDER) or "no checks"


def finding_entries(findings: Iterable[Finding], snapshot: Snapshot, *, most: int = MOST_ALIKE) -> list[Row | Note]:
    """One row for each finding, the worst first; unknown ones say why, and once for all alike what to do about it.

    Of those that are unknown for one reason `most` are named.
    """
    ordered = sorted(findings, key=lambda finding: (ORDER.index(finding.state), -SEVERITIES.index(finding.severity)))
    known = [entry for finding in ordered if finding.state != "unknown" for entry in _entries(finding)]
    return [*known, *_unknown([finding for finding in ordered if finding.state == "unknown"], snapshot, most)]


def firing_entries(findings: Iterable[Finding]) -> list[Row | Note]:
    """Those that fire, the worst first, with what they rest on and what they mean."""
    firing = [finding for finding in findings if finding.state == "firing"]
    ranked = sorted(firing, key=lambda finding: -SEVERITIES.index(finding.severity))
    return [entry for finding in ranked for entry in _entries(finding)]


def _entries(finding: Finding) -> list[Row | Note]:
    body = finding_words(finding)
    if finding.state == "clear":
        return [row(Span("clear", "good"), finding.name, body=body)]
    explained = [note("", Span(finding.explain, "quiet", whole=True))] if finding.explain else []
    return [row(severity(finding.severity), Span(finding.name, "strong"), body=body), *explained]


def _unknown(findings: Sequence[Finding], snapshot: Snapshot, most: int) -> Iterator[Row | Note]:
    """The checks by what they wait for, and that once for all alike."""
    alike: dict[str, dict[str, list[Finding]]] = {}
    for finding in findings:
        why, hint = _missing(finding, snapshot)
        alike.setdefault(hint, {}).setdefault(why, []).append(finding)
    for hint, reasons in alike.items():
        for why, members in reasons.items():
            shown = members if len(members) <= most + 1 else members[:most]
            yield from (row(Span("unknown", "unknown"), finding.name) for finding in shown)
            if len(members) > len(shown):
                yield row("", f"and {len(members) - len(shown)} more for the same reason (-v)")
            yield note("", why)
        if hint:
            yield note(Span("hint: ", "hint"), hint)


def _missing(finding: Finding, snapshot: Snapshot) -> tuple[str, str]:
    """Why a check could not be judged, and what to do about it."""
    values = [snapshot.value(evidence.metric) for evidence in finding.evidence if evidence.value is None]
    missing = [value for value in values if isinstance(value, Unavailable)]
    if not missing:
        return finding.why, ""
    return "; ".join(dict.fromkeys(value.why for value in missing)), HINTS.get(missing[0].reason, "")
