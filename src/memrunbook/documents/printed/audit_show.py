"""`runbook audit show --json`."""

from __future__ import annotations

from typing import Literal

from memrunbook.core.run.account import Account
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.audit import PrintedAuditFinding


class AuditShowDocument(Document, frozen=True, kw_only=True):
    """runbook audit show --json."""

    format: Literal["memrunbook.audit-show/1"] = "memrunbook.audit-show/1"
    intact: bool
    findings: tuple[PrintedAuditFinding, ...]
    runs: tuple[Account, ...]
