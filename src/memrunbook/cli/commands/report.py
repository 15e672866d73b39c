"""runbook report: what one run did, from its journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runs
from memrunbook.cli.options import OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show

if TYPE_CHECKING:
    from memrunbook.app.reporting import ReportResult
    from memrunbook.core.run.account import Account
    from memrunbook.documents.printed.report import ReportDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.ui.block import Block


@click.command()
@click.argument("run", metavar="RUN", shell_complete=complete_runs)
@common(STATE, OUTPUT)
def command(run: str, state: Path, output: OutputOptions) -> int:
    """Show what a run did on each host and why; RUN is its id, or: last. Exit 7 where a step is open."""
    from memrunbook.app import account, report
    from memrunbook.app.accounting import doubts_about

    result = report(state, run)
    doubts = doubts_about(state, result.run_id)
    left = exit_codes.UNKNOWN if any(one.open for one in result.reports) else exit_codes.OK
    code = exit_codes.worst([exit_codes.JOURNAL if doubts else exit_codes.OK, left])
    who = account(state, result.run_id)
    return show(output, Reply(code, lambda: _document(result, doubts, who), lambda: _pages(result, doubts, who)))


def _document(result: ReportResult, doubts: Sequence[AuditFinding], who: Account) -> ReportDocument:
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.report import report_document

    findings = [finding_of(one.level, one.where, one.message) for one in doubts]
    return report_document(result.run_id, result.reports, findings, who)


def _pages(result: ReportResult, doubts: Sequence[AuditFinding], who: Account) -> Iterator[list[Block]]:
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.report import report_view
    from memrunbook.ui.who import who_view

    if not result.reports:
        yield [*doubt_view(doubts), line("Nothing is left to show of ", Span(result.run_id, whole=True),
                                         ": no journal of a host is there."), *who_view(who, "")]  # fmt: skip
    for place, report in enumerate(result.reports):
        yield [
            *(doubt_view(doubts) if not place else []),
            *report_view(report, result.run_id, who_view(who, report.host)),
        ]
