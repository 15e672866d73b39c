"""The diagnosis of one host by all runbooks: verdict, incidents with the primary first, and all else that is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import CheckState, Diagnosis, Finding, RunbookDiagnosis
from memrunbook.core.plan.headline import culprit, headline_of
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.standing import Standing, once, standing
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.advice import advice_rows
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row, text, title, to_type
from memrunbook.ui.findings import MOST_ALIKE, finding_entries
from memrunbook.ui.header import facts_row, held_blocks, host_row, memory_rows, off_blocks
from memrunbook.ui.oom_event import NEWEST, newest_event
from memrunbook.ui.suspects import cause_note, cause_rows
from memrunbook.ui.unread import sudo_row
from memrunbook.ui.verdict import diagnosis_verdict
from memrunbook.ui.words import finding_words, plural, severity


def diagnosis_view(  # noqa: PLR0913  what a page is made of
    diagnosis: Diagnosis,
    snapshot: Snapshot,
    options: str = "",
    now: Instant | None = None,
    *,
    given: Mapping[str, str] | None = None,
    verbose: bool = False,
    off: str = "",
) -> list[Block]:
    """The page; `options` are those that reach this host again, as in "--host search-03" (the default).

    `given` are the parameters of runbooks as they were typed, by runbook. `off`: why nothing may be changed.
    """
    options = options or f"--host {shlex.quote(diagnosis.host)}"
    nexts = {one.runbook: _next(one.runbook, options, (given or {}).get(one.runbook, "")) for one in diagnosis.runbooks}
    stands = standing(diagnosis.runbooks)
    blocks: list[Block] = [
        diagnosis_verdict(headline_of(Host(diagnosis.host), diagnosis, stands, snapshot), nexts),
        *off_blocks(snapshot, off),
        *held_blocks(held_words(snapshot)),
        BLANK,
        Grid((host_row(snapshot), *memory_rows(snapshot), facts_row(snapshot, now), *sudo_row(snapshot)), indent=0),
    ]
    if diagnosis.incidents:
        blocks += [BLANK, title("Incidents", f": {len(diagnosis.incidents)}")]
        blocks.append(Grid(tuple(_incidents(diagnosis, stands, nexts)), under=2))
        if diagnosis.incidents[0].causes:
            causes = diagnosis.incidents[0].causes
            blocks += [BLANK, Grid((*cause_rows(causes), *advice_rows(causes, snapshot)), indent=0)]
    found = [finding for entry in diagnosis.runbooks for finding in entry.findings]
    blocks += newest_event(found, snapshot.value(NEWEST))
    blocks += _noticed(diagnosis, stands, snapshot)
    blocks += _unknown(diagnosis, snapshot, verbose=verbose)
    return [*blocks, BLANK, *_tuning(stands, snapshot, verbose=verbose), *_clear(diagnosis, snapshot, verbose=verbose)]


def _next(runbook: str, *options: str) -> str:
    return " ".join(["runbook plan", runbook, *filter(None, options)])


def _incidents(diagnosis: Diagnosis, stands: Standing, nexts: Mapping[str, str]) -> Iterator[Row | Note]:
    for number, entry in enumerate(diagnosis.incidents, 1):
        below = entry.runbook in diagnosis.subsumed
        body = text("part of it; first see to ", diagnosis.primary) if below else text("")
        yield row(str(number), severity(entry.severity), Span(entry.runbook, "strong"), entry.title, body=body)
        for finding in stands.within[entry.runbook]:
            yield from _within(finding)
        if not below:
            yield note("next: ", to_type(nexts[entry.runbook]))


def _within(finding: Finding) -> Iterator[Note]:
    """A finding of an incident, and what helps."""
    words = finding_words(finding)
    yield note("", finding.name, ": " if words else "", words)
    if finding.explain:
        yield note("  ", Span(finding.explain, "quiet", whole=True))


def _noticed(diagnosis: Diagnosis, stands: Standing, snapshot: Snapshot) -> list[Block]:
    """What fires in runbooks whose incident does not apply; under the worst of each runbook who is behind it."""
    if not stands.apart:
        return []
    head = title("Worth knowing", f", no incident: {len(stands.apart)}")
    return [BLANK, head, Grid(tuple(_with_causes(stands.apart, diagnosis, snapshot)))]


def _with_causes(found: Sequence[Finding], diagnosis: Diagnosis, snapshot: Snapshot) -> Iterator[Row | Note]:
    causes = {entry.runbook: entry.causes for entry in diagnosis.runbooks}
    above = {suspect.name for entry in diagnosis.incidents[:1] for suspect in entry.causes}
    for finding in found:
        yield from finding_entries([finding], snapshot)
        cause = culprit(finding, causes.pop(finding.runbook, ()))
        if cause is not None and cause.name not in above:
            yield cause_note(cause)


def _unknown(diagnosis: Diagnosis, snapshot: Snapshot, *, verbose: bool) -> list[Block]:
    found = once(_of(diagnosis.runbooks, "unknown"))
    if not found:
        return []
    head = title("Unknown", f": {plural(len(found), 'check')} could not be judged")
    most = len(found) if verbose else MOST_ALIKE
    return [BLANK, head, Grid(tuple(finding_entries(found, snapshot, most=most)))]


def _tuning(stands: Standing, snapshot: Snapshot, *, verbose: bool) -> list[Block]:
    """Remarks on settings, which greet a healthy host for ever: one line, unless somebody asks for them."""
    if not stands.tuning:
        return []
    count = plural(len(stands.tuning), "remark")
    if not verbose:
        return [line(Span("Tuning", "strong"), f": {count} (-v)")]
    return [title("Tuning", f": {count}"), Grid(tuple(finding_entries(stands.tuning, snapshot))), BLANK]


def _clear(diagnosis: Diagnosis, snapshot: Snapshot, *, verbose: bool) -> list[Block]:
    found = once(_of(diagnosis.runbooks, "clear"))
    count = plural(len(found), "check")
    if not verbose or not found:
        more = " (-v lists them)" if found else ""
        return [line(Span("Clear", "strong"), f": {count}{more}. Nothing was changed.")]
    return [
        title("Clear", f": {count}"),
        Grid(tuple(finding_entries(found, snapshot))),
        BLANK,
        line("Nothing was changed."),
    ]


def _of(entries: Sequence[RunbookDiagnosis], state: CheckState) -> list[Finding]:
    return [finding for entry in entries for finding in entry.findings if finding.state == state]
