"""`runbook runs --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.record import Ended, Invoked
from memrunbook.documents.printed import Document


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
    runs: tuple[PrintedRun, ...]


def runs_document(runs: Iterable[PrintedRun]) -> RunsDocument:
    """The runs, the newest first."""
    return RunsDocument(runs=tuple(runs))
