"""runbook audit: is the journal intact, and what does it say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show as show_answer
from memrunbook.cli.streams import tell

if TYPE_CHECKING:
    from memrunbook.app.auditing import AuditResult
    from memrunbook.documents.printed.audit import AuditDocument
    from memrunbook.ui.block import Block


@click.group()
def command() -> None:
    """Verify the journal, or show the records of a run."""


@command.command()
@click.option("--expect", default="", metavar="HEAD", help="A head of the ledger that was kept elsewhere.")
@common(STATE, OUTPUT)
def verify(expect: str, state: Path, output: OutputOptions) -> int:
    """Check every journal and the ledger: changed, removed, inserted or reordered records, removed runs."""
    from memrunbook.app import audit

    result = audit(state, expect)
    code = exit_codes.OK if result.intact else exit_codes.JOURNAL
    return show_answer(output, Reply(code, lambda: _document(result), lambda: _pages(result, state)))


def _document(result: AuditResult) -> AuditDocument:
    from memrunbook.documents.printed.audit import PrintedAuditFinding, audit_document

    told = (PrintedAuditFinding(one.level, one.where, one.message) for one in result.findings)
    return audit_document(result.head, told)


def _pages(result: AuditResult, state: Path) -> Iterator[list[Block]]:
    from memrunbook.ui.audit import audit_view
    from memrunbook.ui.block import Span, line

    kept = line("Keep this elsewhere, and check with --expect: ", Span(result.head, whole=True))
    yield [*audit_view(result.findings, str(state)), *([kept] if result.head and result.intact else [])]


@command.command()
@click.argument("run", metavar="RUN")
@click.option("--host", help="Only this host's journal.")
@common(STATE)
def show(run: str, host: str | None, state: Path) -> int:
    """Print the records of a run as JSON lines, in their order; RUN is its id, or: last."""
    from memrunbook.app import records
    from memrunbook.cli.formats import json_

    def write() -> None:
        for record in records(state, run, host):
            json_.record(record)

    return tell(exit_codes.OK, write)
