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
    left = exit_codes.UNKNOWN if result.open else exit_codes.OK
    code = exit_codes.worst([exit_codes.JOURNAL if doubts else exit_codes.OK, left])
    who = account(state, result.run_id)
    return show(output, Reply(code, lambda: _document(result, doubts, who), lambda: _pages(result, doubts, who)))


def _document(result: ReportResult, doubts: Sequence[AuditFinding], who: Account) -> ReportDocument:
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.report import report_document

    findings = [finding_of(one.level, one.where, one.message) for one in doubts]
    return report_document(result.run_id, result.reports, findings, who, result.taken_back)


def _pages(result: ReportResult, doubts: Sequence[AuditFinding], who: Account) -> Iterator[list[Block]]:
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.block import BLANK, Span, line
    from memrunbook.ui.report import is_lost, record_view, report_view
    from memrunbook.ui.who import consent_view, who_view

    if not result.reports:
        yield [*doubt_view(doubts), line("Nothing is left to show of ", Span(result.run_id, whole=True),
                                         ": no journal of a host is there."), *who_view(who)]  # fmt: skip
    alone = len(result.reports) == 1
    for place, report in enumerate(result.reports):
        asked = who_view(who, report.host) if alone else consent_view(who, report.host)
        back = result.taken_back.get(report.host, {})
        page = report_view(report, result.run_id, asked, alone=alone, taken_back=back)
        yield [*(doubt_view(doubts) if not place else []), *page]
    if result.reports and not alone:
        lost = not result.taken_back and any(is_lost(report) for report in result.reports)
        yield [*who_view(who), BLANK, *record_view(result.run_id, lost=lost)]
