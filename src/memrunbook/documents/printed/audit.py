"""`runbook audit verify --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedAuditFinding(Struct, frozen=True):
    """One thing found: an error (something was changed) or a note (what a crash leaves behind)."""

    level: Literal["error", "note"]
    where: str
    message: str


class AuditDocument(Document, frozen=True, kw_only=True):
    """runbook audit verify --json."""

    format: Literal["memrunbook.audit/1"] = "memrunbook.audit/1"
    intact: bool
    head: str
    findings: tuple[PrintedAuditFinding, ...]


def audit_document(head: str, findings: Iterable[PrintedAuditFinding]) -> AuditDocument:
    """The verdict on the journals, the ledger's head, and what was found."""
    told = tuple(findings)
    return AuditDocument(intact=not any(one.level == "error" for one in told), head=head, findings=told)
