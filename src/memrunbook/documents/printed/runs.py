"""`runbook runs --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.record import Ended, Invoked
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.audit import PrintedAuditFinding


class PrintedRun(Struct, frozen=True, kw_only=True):
    """One run: its directory, whether it is over, how it began and how it ended; null where that is not known."""

    run_id: str
    path: str
    state: Literal["running", "interrupted", "ended"]
    hosts: tuple[str, ...]
    invoked: Invoked | None
    ended: Ended | None


class RunsDocument(Document, frozen=True, kw_only=True):
    """runbook runs --json."""

    format: Literal["memrunbook.runs/1"] = "memrunbook.runs/1"
    intact: bool
    findings: tuple[PrintedAuditFinding, ...]
    runs: tuple[PrintedRun, ...]


def runs_document(runs: Iterable[PrintedRun], findings: Iterable[PrintedAuditFinding]) -> RunsDocument:
    """The runs, the newest first, and where what is shown of them is not as it was written."""
    found = tuple(findings)
    return RunsDocument(intact=not found, findings=found, runs=tuple(runs))
