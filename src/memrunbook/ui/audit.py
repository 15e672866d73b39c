"""Whether the journals are intact, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from memrunbook.ui.block import Block, Grid, Span, line, row
from memrunbook.ui.words import plural


class AuditLine(Protocol):
    """One thing that an audit found: level "error" (something was changed) or "note" (what a crash leaves behind)."""

    @property
    def level(self) -> str: ...

    @property
    def where(self) -> str: ...

    @property
    def message(self) -> str: ...


def audit_view(findings: Sequence[AuditLine], state: str) -> list[Block]:
    """The verdict on the state directory, then every finding, the errors first."""
    errors = sum(finding.level == "error" for finding in findings)
    place = Span(state, whole=True)
    if errors:
        changed = f": {plural(errors, 'place')} not as it was written; compare with an export or a host's own log"
        verdict = line(Span("NOT INTACT", "critical"), ": ", place, changed)
    else:
        verdict = line(Span("INTACT", "good"), ": every journal in ", place, " is as it was written")
    ordered = sorted(findings, key=lambda finding: finding.level != "error")
    rows = [
        row(
            Span(finding.level, "critical" if finding.level == "error" else "hint"),
            Span(finding.where, whole=True),
            body=Span(finding.message, whole=True),
        )
        for finding in ordered
    ]
    return [verdict, Grid(tuple(rows))]
