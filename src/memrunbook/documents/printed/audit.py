"""`runbook audit verify --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedAuditFinding(Struct, frozen=True):
    """One thing found: an error (something was changed) or a note (what a crash leaves behind)."""

    level: Literal["error", "note"]
    where: str
    message: str


class PrintedWitness(Struct, frozen=True, kw_only=True):
    """A host's own log: the changes that the journals here tell of that host, and how many of them its log has too.

    `read` names the logs that could be read; `problem` says why not all could, or why the host was not reached.
    """

    host: str
    changes: int
    agreed: int
    read: tuple[str, ...]
    problem: str = ""


class AuditDocument(Document, frozen=True, kw_only=True):
    """runbook audit verify --json."""

    format: Literal["memrunbook.audit/1"] = "memrunbook.audit/1"
    intact: bool
    verdict: Literal["intact", "intact-up-to-end", "not-intact", "nothing"]
    head: str
    entries: int
    expected_entry: int | None
    hosts: tuple[PrintedWitness, ...]
    findings: tuple[PrintedAuditFinding, ...]


def finding_of(level: str, where: str, message: str) -> PrintedAuditFinding:
    """A finding as it is printed."""
    return PrintedAuditFinding("error" if level == "error" else "note", where, message)
