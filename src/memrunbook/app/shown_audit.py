"""What is told of an audit: the document, and the pages of the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memrunbook.app.auditing import AuditResult
    from memrunbook.app.second_witness import StoreAnswer
    from memrunbook.documents.printed.audit import AuditDocument, PrintedKeptApproval, PrintedStoreWitness
    from memrunbook.state.kept_approvals import ToldApproval
    from memrunbook.ui.block import Block


def audit_document(result: AuditResult) -> AuditDocument:
    """The document of `runbook audit verify --json`."""
    from memrunbook.documents.printed.audit import AuditDocument, PrintedWitness, finding_of

    asked = [
        PrintedWitness(host=one.host, changes=one.here, agreed=one.agreed, read=one.sources, problem=one.problem)
        for one in result.compared
    ]
    asked += [
        PrintedWitness(host=host, changes=0, agreed=0, read=(), problem=error.message)
        for host, error in result.unreached
    ]
    return AuditDocument(
        intact=result.intact,
        verdict=result.verdict,
        head=result.head,
        entries=result.count,
        expected_entry=result.expected,
        hosts=tuple(asked),
        approvals=tuple(_approval(one) for one in result.approvals),
        findings=tuple(finding_of(one.level, one.where, one.message) for one in result.findings),
        store=None if result.store is None else _store(result.store),
    )


def _approval(one: ToldApproval) -> PrintedKeptApproval:
    from memrunbook.documents.printed.audit import PrintedKeptApproval

    return PrintedKeptApproval(
        run=one.run,
        principal=one.approval.kept.principal,
        key=one.approval.kept.key,
        kind=one.approval.kept.kind,
        time=one.approval.kept.time,
        judged=one.approval.kept.judged,
        holds=one.holds,
        vouched=one.vouched,
        told=one.words,
    )


def _store(seen: StoreAnswer) -> PrintedStoreWitness:
    from memrunbook.documents.printed.audit import PrintedStoreWitness

    return PrintedStoreWitness(name=seen.name, entry=seen.entry, other_ledgers=seen.others, problem=seen.problem)


def audit_pages(result: AuditResult, state: Path) -> Iterator[list[Block]]:
    """The pages of the screen."""
    from memrunbook.ui.audit import approvals_view, audit_view
    from memrunbook.ui.ends import ends_view, store_view, unasked_view
    from memrunbook.ui.errors import error_view

    ends = ends_view(result.count, result.head, result.expected, result.compared, intact=result.intact)
    kept = [] if result.kept is None else [("Kept", f"in {result.kept}: entry {result.count} of the ledger")]
    yield audit_view(
        result.verdict,
        result.findings,
        str(state),
        [
            *(store_view(result.count, result.store) if result.store and result.intact else ()),
            *ends,
            *unasked_view(result.unasked if result.intact else ()),
            *kept,
        ],
        unended=result.unended,
    )
    if result.approvals:
        yield approvals_view(result.approvals)
    for host, error in result.unreached:
        yield error_view(error, host)
