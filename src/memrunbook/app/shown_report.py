"""What is told of one run: the document, the pages of the screen, the page of a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memrunbook.app.reporting import ReportResult
    from memrunbook.app.retracing import Retraced
    from memrunbook.core.run.account import Account
    from memrunbook.core.run.report import HostReport
    from memrunbook.documents.printed.report import ReportDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.ui.block import Block
    from memrunbook.ui.html.page import HostPart, Page


@dataclass(frozen=True)
class ReportTold:
    """All that is told of a run: `doubts` are what is wrong with its journals, `who` asked for it and said yes."""

    state: Path
    result: ReportResult
    doubts: Sequence[AuditFinding]
    who: Account


def told_of(state: Path, run: str) -> ReportTold:
    """All of a run (an id, or "last"); UsageError where there is none, JournalError where it cannot be read."""
    from memrunbook.app.accounting import account, doubts_about
    from memrunbook.app.reporting import report

    result = report(state, run)
    return ReportTold(state, result, doubts_about(state, result.run_id), account(state, result.run_id))


def run_document(told: ReportTold) -> ReportDocument:
    """The document of `runbook report --json`."""
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.report import report_document

    result = told.result
    findings = [finding_of(one.level, one.where, one.message) for one in told.doubts]
    return report_document(result.run_id, result.reports, findings, told.who, result.taken_back)


def run_pages(told: ReportTold, *, verbose: bool) -> Iterator[list[Block]]:
    """The pages of the screen; `verbose` with what they rest on."""
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.block import BLANK
    from memrunbook.ui.report import report_view
    from memrunbook.ui.who import who_view

    reports, run_id, alone = told.result.reports, told.result.run_id, len(told.result.reports) == 1
    if not reports:
        yield _nothing(told)
    for place, report in enumerate(reports):
        back = told.result.taken_back.get(report.host, {})
        page = report_view(report, run_id, _asked(told, report), alone=alone, taken_back=back)
        more = _record(told, report, _retraced(told, report)) if verbose else []
        yield [*(doubt_view(told.doubts) if not place else []), *page, *more]
    if reports and not alone:
        yield [*who_view(told.who), BLANK, *_written(told)]


def _nothing(told: ReportTold) -> list[Block]:
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.who import who_view

    left = ("Nothing is left to show of ", Span(told.result.run_id, whole=True), ": no journal of a host is there.")
    return [*doubt_view(told.doubts), line(*left), *who_view(told.who)]


def _asked(told: ReportTold, report: HostReport) -> list[Block]:
    from memrunbook.ui.who import consent_view, who_view

    alone = len(told.result.reports) == 1
    return who_view(told.who, report.host) if alone else consent_view(told.who, report.host)


def _written(told: ReportTold) -> list[Block]:
    """Where the run is written down, and how it goes on."""
    from memrunbook.ui.report import is_lost, record_view

    lost = not told.result.taken_back and any(is_lost(report) for report in told.result.reports)
    return record_view(told.result.run_id, lost=lost)


def _retraced(told: ReportTold, report: HostReport) -> Retraced:
    from memrunbook.app.retracing import retrace

    return retrace(told.state, told.result.run_id, report)


def _record(told: ReportTold, report: HostReport, retraced: Retraced) -> list[Block]:
    from memrunbook.app.retracing import ledger_head
    from memrunbook.ui.run_page import record_blocks

    return record_blocks(report, retraced.course, str(retraced.file), ledger_head(told.state))


def run_page(told: ReportTold) -> Page:
    """The same as a page to send, with all that it rests on; of several hosts the table comes first."""
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.html.page import Page
    from memrunbook.ui.recap import recap_view, worst_first
    from memrunbook.ui.run_page import page_end
    from memrunbook.ui.who import who_view
    from memrunbook.ui.words import moment_words
    from memrunbook.version import __version__

    reports, run_id = told.result.reports, told.result.run_id
    about: list[Block] = doubt_view(told.doubts) if reports else _nothing(told)
    if len(reports) > 1:
        about += [*recap_view(reports, run_id, every_page=True), *who_view(told.who), *_written(told)]
    end = page_end(moment_words(SystemClock().now().utc), __version__)
    runbook = told.who.invoked.runbook if told.who.invoked else "A run"
    return Page(f"{runbook}: run {run_id}", about, [_part(told, report) for report in worst_first(reports)], end)


def _part(told: ReportTold, report: HostReport) -> HostPart:
    from memrunbook.ui.run_page import run_host

    retraced, alone = _retraced(told, report), len(told.result.reports) == 1
    record, back = _record(told, report, retraced), told.result.taken_back.get(report.host, {})
    run_id, who = told.result.run_id, _asked(told, report)
    return run_host(report, run_id, who, retraced.course, record, alone=alone, taken_back=back)
