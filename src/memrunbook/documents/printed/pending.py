"""`runbook pending --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedPendingStep(Struct, frozen=True, kw_only=True):
    """A change that it would make: the step's name, its action and target, what it does in a sentence, its risk."""

    name: str
    action: str
    target: str
    summary: str
    risk: Literal["none", "low", "medium", "high"]


class PrintedPending(Struct, frozen=True, kw_only=True):
    """A plan that waits; `at` and `until` are in seconds since 1970, `void` says why it cannot be applied any more.

    `digest` is the SHA-256 of its file; `id` is the beginning of it, and either declines the plan.
    """

    id: str
    digest: str
    path: str
    host: str
    runbook: str
    creator: str
    at: float
    until: float
    steps: tuple[PrintedPendingStep, ...]
    why: tuple[str, ...]
    people: int
    approvals: int
    void: str


class PendingDocument(Document, frozen=True, kw_only=True):
    """runbook pending --json."""

    format: Literal["memrunbook.pending/1"] = "memrunbook.pending/1"
    plans: tuple[PrintedPending, ...]
