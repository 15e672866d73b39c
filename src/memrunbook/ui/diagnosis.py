"""The diagnosis of one host by all runbooks: verdict, incidents with the primary first, and all else that is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import SEVERITIES, CheckState, Diagnosis, Finding, RunbookDiagnosis, Suspect
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row, text
from memrunbook.ui.findings import finding_entries
from memrunbook.ui.header import facts_row, host_row
from memrunbook.ui.oom_event import NEWEST, newest_event
from memrunbook.ui.suspects import cause_note, cause_rows
from memrunbook.ui.verdict import diagnosis_verdict
from memrunbook.ui.words import evidence_words, plural, severity


def diagnosis_view(
    diagnosis: Diagnosis, snapshot: Snapshot, options: str = "", now: Instant | None = None, *, verbose: bool = False
) -> list[Block]:
    """The page; `options` are those that reach this host again, as in "--host search-03" (the default)."""
    options = options or f"--host {shlex.quote(diagnosis.host)}"
    blocks: list[Block] = [
        diagnosis_verdict(diagnosis, options),
        BLANK,
        Grid((host_row(snapshot), facts_row(snapshot, now)), indent=0),
    ]
    if diagnosis.incidents:
        blocks += [BLANK, line(Span("Incidents", "strong"), f": {len(diagnosis.incidents)}")]
        blocks.append(Grid(tuple(_incidents(diagnosis, options)), under=2))
        if diagnosis.incidents[0].causes:
            blocks += [BLANK, Grid(tuple(cause_rows(diagnosis.incidents[0].causes)), indent=0)]
    found = [finding for entry in diagnosis.runbooks for finding in entry.findings]
    blocks += newest_event(found, snapshot.value(NEWEST))
    blocks += _noticed(diagnosis, snapshot)
    blocks += _unknown(diagnosis, snapshot)
    return [*blocks, BLANK, *_clear(diagnosis, snapshot, verbose=verbose)]


def _incidents(diagnosis: Diagnosis, options: str) -> Iterator[Row | Note]:
    for number, entry in enumerate(diagnosis.incidents, 1):
        below = entry.runbook in diagnosis.subsumed
        body = text("part of it; first see to ", diagnosis.primary) if below else text("")
        yield row(str(number), severity(entry.severity), Span(entry.runbook, "strong"), entry.title, body=body)
        for finding in entry.findings:
            if finding.state == "firing":
                yield note("", finding.name, ": ", evidence_words(finding.evidence))
        if not below:
            yield note("next: ", Span(f"runbook plan {entry.runbook} {options}", "hint", whole=True))


def _noticed(diagnosis: Diagnosis, snapshot: Snapshot) -> list[Block]:
    """What fires in runbooks whose incident does not apply."""
    apart = [entry for entry in diagnosis.runbooks if not entry.incident.holds]
    told = {(finding.name, finding.evidence) for finding in _of(diagnosis.incidents, "firing")}
    found = [one for one in _once(_of(apart, "firing")) if (one.name, one.evidence) not in told]
    if not found:
        return []
    title = line(Span("Worth knowing", "strong"), f", no incident: {len(found)}")
    causes = {entry.runbook: entry.causes[0] for entry in apart if entry.causes}
    return [BLANK, title, Grid(tuple(_with_causes(found, causes, snapshot)))]


def _with_causes(found: Sequence[Finding], causes: dict[str, Suspect], snapshot: Snapshot) -> Iterator[Row | Note]:
    """The findings, the worst first; under the worst one of each runbook who is behind it."""
    for finding in sorted(found, key=lambda one: -SEVERITIES.index(one.severity)):
        yield from finding_entries([finding], snapshot)
        cause = causes.pop(finding.runbook, None)
        # A remark on a setting has no culprit: that some service is large does not stand beside it.
        if cause is not None and (finding.severity != "info" or cause.kind not in ("unit", "process")):
            yield cause_note(cause)


def _unknown(diagnosis: Diagnosis, snapshot: Snapshot) -> list[Block]:
    found = _once(_of(diagnosis.runbooks, "unknown"))
    if not found:
        return []
    title = line(Span("Unknown", "strong"), f": {plural(len(found), 'check')} could not be judged")
    return [BLANK, title, Grid(tuple(finding_entries(found, snapshot)))]


def _clear(diagnosis: Diagnosis, snapshot: Snapshot, *, verbose: bool) -> list[Block]:
    found = _once(_of(diagnosis.runbooks, "clear"))
    count = plural(len(found), "check")
    if not verbose or not found:
        more = " (-v lists them)" if found else ""
        return [line(Span("Clear", "strong"), f": {count}{more}. Nothing was changed.")]
    title = line(Span("Clear", "strong"), f": {count}")
    return [title, Grid(tuple(finding_entries(found, snapshot))), BLANK, line("Nothing was changed.")]


def _of(entries: Sequence[RunbookDiagnosis], state: CheckState) -> list[Finding]:
    return [finding for entry in entries for finding in entry.findings if finding.state == state]


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Several runbooks may ask the same: it is told once."""
    return list({(finding.name, finding.evidence): finding for finding in findings}.values())
