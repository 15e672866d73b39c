"""The runs that were made, and whether their record is intact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memrunbook.core.instant import Instant
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row
from memrunbook.ui.report import OUTCOMES
from memrunbook.ui.words import moment_words, plural

STYLES: Mapping[str, Style] = {outcome: style for outcome, (_, style, _) in OUTCOMES.items()}


class RunLine(NamedTuple):
    """One run; `utc` in seconds since 1970, `outcome` an outcome's word."""

    run_id: str
    utc: float
    runbook: str
    hosts: tuple[str, ...]
    outcome: str
    who: str


class AuditFinding(NamedTuple):
    """One thing that was checked: a journal, the ledger, a host's own log; `why` says what is wrong with it."""

    where: str
    intact: bool
    why: str = ""
    hint: str = ""


def runs_view(runs: Sequence[RunLine], now: Instant | None = None) -> list[Block]:
    """One line for each run, and how to go on with those that were interrupted."""
    if not runs:
        return [line("No runs yet.")]
    rows: list[Row | Note] = []
    for run in runs:
        shown = Span(run.outcome, STYLES.get(run.outcome, "unknown"))
        rows.append(row(Span(run.run_id, "strong", whole=True), shown, run.runbook, ", ".join(run.hosts),
                        body=f"{run.who}, {moment_words(run.utc, now)}"))  # fmt: skip
        if run.outcome == "interrupted":
            rows.append(note("go on: ", Span(f"runbook resume {run.run_id}", "hint", whole=True)))
    return [line(plural(len(runs), "run")), Grid(tuple(rows)), line("One of them in full: runbook report RUN")]


def audit_view(findings: Sequence[AuditFinding], head: str = "") -> list[Block]:
    """The verdict on the record, what is wrong with it, and the ledger's `head` to keep elsewhere."""
    broken = [finding for finding in findings if not finding.intact]
    checked = f"{plural(len(findings), 'record')} checked"
    if broken:
        title = line(Span("NOT INTACT", "critical"), f": {len(broken)} of {checked}")
    else:
        title = line(Span("INTACT", "good"), f": {checked}")
    rows: list[Row | Note] = []
    for finding in (*broken, *(finding for finding in findings if finding.intact)):
        word = Span("intact", "good") if finding.intact else Span("BROKEN", "critical")
        rows.append(row(word, Span(finding.where, whole=True), body=Span(finding.why, whole=True)))
        if finding.hint:
            rows.append(note(Span("hint: ", "hint"), Span(finding.hint, whole=True)))
    blocks: list[Block] = [title, Grid(tuple(rows))]
    if head:
        blocks += [
            BLANK,
            line("Head of the ledger: ", Span(head, whole=True)),
            line("Keep it elsewhere; later check with runbook audit verify --expect HEAD"),
        ]
    return blocks
