"""`runbook audit verify --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.core.run.record import ApprovalVerdict, KeyKind
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


class PrintedStoreWitness(Struct, frozen=True, kw_only=True):
    """A store that is a server, by its name: the newest entry of this ledger that it saw, null where it saw none.

    `other_ledgers` are those that it knows of this control node beside this one; `problem` says why it was not asked.
    """

    name: str
    entry: int | None
    other_ledgers: int
    problem: str = ""


class PrintedKeptApproval(Struct, frozen=True, kw_only=True):
    """An approval of the plan that a run carried out, over the plan's bytes as the run keeps them.

    `judged` says what it came to when the plan was applied, `holds` whether the signature holds now, `vouched` whether
    `--allowed-signers` says that it was that person's key (null: nobody was asked, or it does not hold), `told` all in
    words.
    """

    run: str
    principal: str
    key: str
    kind: KeyKind
    time: str
    judged: ApprovalVerdict
    holds: bool
    vouched: bool | None
    told: str


class AuditDocument(Document, frozen=True, kw_only=True):
    """runbook audit verify --json."""

    format: Literal["memrunbook.audit/1"] = "memrunbook.audit/1"
    intact: bool
    verdict: Literal["intact", "intact-up-to-end", "not-intact", "nothing"]
    head: str
    entries: int
    expected_entry: int | None
    hosts: tuple[PrintedWitness, ...]
    approvals: tuple[PrintedKeptApproval, ...]
    findings: tuple[PrintedAuditFinding, ...]
    store: PrintedStoreWitness | None = None


def finding_of(level: str, where: str, message: str) -> PrintedAuditFinding:
    """A finding as it is printed."""
    return PrintedAuditFinding("error" if level == "error" else "note", where, message)
