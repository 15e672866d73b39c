"""runbook report: what one run did, from its journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show

if TYPE_CHECKING:
    from memrunbook.app.reporting import ReportResult
    from memrunbook.documents.printed.report import ReportDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("run", metavar="RUN")
@common(STATE, OUTPUT)
def command(run: str, state: Path, output: OutputOptions) -> int:
    """Show what a run did on each host and why; RUN is its id, or: last. Exit 7 where a step is open."""
    from memrunbook.app import report

    result = report(state, run)
    code = exit_codes.UNKNOWN if any(one.open for one in result.reports) else exit_codes.OK
    return show(output, Reply(code, lambda: _document(result), lambda: _pages(result)))


def _document(result: ReportResult) -> ReportDocument:
    from memrunbook.documents.printed.report import report_document

    return report_document(result.run_id, result.reports)


def _pages(result: ReportResult) -> Iterator[list[Block]]:
    from memrunbook.ui.report import report_view

    for report in result.reports:
        yield report_view(report, result.run_id)
