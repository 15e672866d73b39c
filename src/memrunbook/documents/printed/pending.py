"""`runbook pending --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedPending(Struct, frozen=True, kw_only=True):
    """A plan that waits; `at` and `until` are in seconds since 1970, `void` says why it cannot be applied any more."""

    id: str
    path: str
    host: str
    runbook: str
    creator: str
    at: float
    until: float
    steps: tuple[str, ...]
    why: tuple[str, ...]
    people: int
    approvals: int
    void: str


class PendingDocument(Document, frozen=True, kw_only=True):
    """runbook pending --json."""

    format: Literal["memrunbook.pending/1"] = "memrunbook.pending/1"
    plans: tuple[PrintedPending, ...]
