"""Whether the journals are intact, what is not, and how far their end is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from memrunbook.ui.block import Block, Grid, Row, Span, line, row
from memrunbook.ui.words import plural

MOST = 50
"""Findings on a page: what stands behind so many is a flood."""
AuditVerdict = Literal["intact", "intact-up-to-end", "not-intact", "nothing"]


class AuditLine(Protocol):
    """One thing that an audit found: level "error" (something was changed) or "note" (what a crash leaves behind)."""

    @property
    def level(self) -> str: ...

    @property
    def where(self) -> str: ...

    @property
    def message(self) -> str: ...


class ApprovalLine(Protocol):
    """An approval that a run keeps: the run, and what of it holds."""

    @property
    def run(self) -> str: ...

    @property
    def words(self) -> str: ...

    @property
    def holds(self) -> bool: ...

    @property
    def vouched(self) -> bool | None: ...


def approvals_view(approvals: Sequence[ApprovalLine]) -> list[Block]:
    """The approvals that runs keep, each with what of it holds."""
    left = len(approvals) - MOST
    rows = [row(Span(one.run, whole=True), body=Span(one.words, whole=True)) for one in approvals[:MOST]]
    more = [row("", body=f"and {left:,} more: --json lists all")] if left > 0 else []
    unasked = any(one.holds and one.vouched is None for one in approvals)
    hint = [line(Span("hint", "hint"), ": whose keys they are is said with --allowed-signers FILE", indent=2)]
    return [line(plural(len(approvals), "approval")), Grid((*rows, *more)), *(hint if unasked else [])]


def audit_view(
    verdict: AuditVerdict,
    findings: Sequence[AuditLine],
    state: str,
    told: Sequence[tuple[str, str]] = (),
    *,
    unended: bool = False,
) -> list[Block]:
    """The verdict on the state directory, what is known of its end (`told`: title and words), every finding.

    `unended`: a run was cut off, so that its end is known to nobody.
    """
    place = Span(state, whole=True)
    errors = sum(finding.level == "error" for finding in findings)
    if verdict == "not-intact":
        changed = (
            f": {plural(errors, 'place')} not as written; compare with an export, or with a host's own log (--host)"
        )
        first = line(Span("NOT INTACT", "critical"), ": ", place, changed)
    elif verdict == "intact":
        first = line(Span("INTACT", "good"), ": every journal in ", place, " is as it was written")
    elif verdict == "nothing":
        first = line(Span("NOTHING TO VERIFY", "unknown"), ": no run was made in ", place, " yet")
    elif unended:
        cut_off = " is as it was written; what a run that was cut off wrote last is not provable until it is resumed"
        first = line(Span("INTACT UP TO ITS END", "good"), ": every journal in ", place, cut_off)
    else:
        newest = " is as it was written; that nothing newer was removed is not provable here: --expect or --host"
        first = line(Span("INTACT UP TO ITS END", "good"), ": every journal in ", place, newest)
    about = [row(title, body=Span(words, whole=True)) for title, words in told]
    return [first, *([Grid(tuple(about))] if about else []), Grid(tuple(_rows(findings)))]


def doubt_view(doubts: Sequence[AuditLine]) -> list[Block]:
    """The first lines of every page that shows a journal which is not as it was written; nothing where it is."""
    if not doubts:
        return []
    first, more = doubts[0], len(doubts) - 1
    others = f" (and {plural(more, 'place')} more)" if more else ""
    return [
        line(Span("NOT INTACT", "critical"), ": ", Span(f"{first.where}: {first.message}", whole=True), others),
        line("What follows is what can still be read of it: do not rely on it.", indent=2),
        line(Span("hint", "hint"), ": runbook audit verify lists every place", indent=2),
    ]


def _rows(findings: Sequence[AuditLine]) -> list[Row]:
    ordered = sorted(findings, key=lambda finding: finding.level != "error")
    left = len(ordered) - MOST
    more = [row("", body=f"and {left:,} more: --json lists all")] if left > 0 else []
    shown = [
        row(
            Span(finding.level, "critical" if finding.level == "error" else "hint"),
            Span(finding.where, whole=True),
            body=Span(finding.message, whole=True),
        )
        for finding in ordered[:MOST]
    ]
    return [*shown, *more]
