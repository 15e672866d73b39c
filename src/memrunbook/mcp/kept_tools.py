"""The tools that reach no host: oom_log, history, report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memrunbook.app.accounting import account, doubts_about
from memrunbook.app.explaining import explain_text
from memrunbook.app.looking_back import LookBackArguments, look_back
from memrunbook.app.moments import moment
from memrunbook.app.reporting import ReportResult, report
from memrunbook.core.errors import UsageError
from memrunbook.core.reading.baseline import HostPast
from memrunbook.core.run.account import Account
from memrunbook.documents.printed.audit import finding_of
from memrunbook.documents.printed.history import history_document, history_host
from memrunbook.documents.printed.oom_log import oom_log_document
from memrunbook.documents.printed.report import report_document
from memrunbook.mcp.answer import ToolAnswer
from memrunbook.mcp.following import Following
from memrunbook.mcp.inputs import HistoryAsked, OomLogAsked, ReportAsked
from memrunbook.mcp.naming import MOST_HOSTS, NOBODY, named_hosts
from memrunbook.mcp.served import Served
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.audit import AuditFinding
from memrunbook.ui.audit import doubt_view
from memrunbook.ui.block import Block, line
from memrunbook.ui.history import fleet_view, host_view, nothing_view, plots_view
from memrunbook.ui.oom_log import oom_log_view
from memrunbook.ui.plot import Canvas
from memrunbook.ui.report import report_view
from memrunbook.ui.who import consent_view, who_view

WIDTH = 80
"""Columns of a plot."""


def oom_log_tool(served: Served, asked: OomLogAsked, following: Following) -> ToolAnswer:
    """Explains a kernel log."""
    del served, following
    log = explain_text(asked.text)
    return ToolAnswer(oom_log_document(log), [oom_log_view(log, "the log", asked.events)])


def history_tool(served: Served, asked: HistoryAsked, following: Following) -> ToolAnswer:
    """How hosts have been."""
    begin, points = moment(asked.since, "since"), bool(asked.metrics or asked.unit)
    arguments = LookBackArguments(
        hosts=_names(served, asked.hosts, points=points),
        metrics=tuple(asked.metrics),
        holder=asked.unit,
        since=begin,
        points=points,
        library=served.library,
        state=served.state,
        store=served.store,
    )
    found = look_back(arguments, following.remark)
    hosts = [
        history_host(one.host, one.headroom, one.kills, zip(one.series, one.baselines, strict=True), points=points)
        for one in found
    ]
    return ToolAnswer(history_document(hosts, begin or 0.0), list(_past_pages(served, found, plots=points)))


def _names(served: Served, words: Sequence[str], *, points: bool) -> tuple[str, ...]:
    if words:
        return tuple(host.name for host in named_hosts(served, words))
    every = tuple(served.inventory.hosts)
    if not every:
        raise UsageError("this server was started without hosts", where="hosts", hint=NOBODY)
    if points and len(every) > MOST_HOSTS:
        raise UsageError(f"{len(every)} hosts are too many for one call", where="hosts", hint=f"at most {MOST_HOSTS}")
    return every


def _past_pages(served: Served, found: Sequence[HostPast], *, plots: bool) -> Iterator[list[Block]]:
    known, unknown = [one for one in found if one.series], [one.host for one in found if not one.series]
    if not known:
        yield nothing_view(unknown, served.command("diagnose", hosts=[served.inventory.hosts[unknown[0]]]))
    elif plots:
        for one in known:
            yield from plots_view(one.host, list(zip(one.series, one.baselines, strict=True)), Canvas(WIDTH))
    elif len(found) == 1:
        yield host_view(known[0], SystemClock().now(), plain=False)
    else:
        yield fleet_view(known, unknown, plain=False)


def report_tool(served: Served, asked: ReportAsked, following: Following) -> ToolAnswer:
    """What a run did."""
    del following
    found = report(served.state, asked.run)
    doubts, who = doubts_about(served.state, found.run_id), account(served.state, found.run_id)
    findings = [finding_of(one.level, one.where, one.message) for one in doubts]
    document = report_document(found.run_id, found.reports, findings, who, found.taken_back)
    return ToolAnswer(document, list(_report_pages(found, doubts, who)))


def _report_pages(found: ReportResult, doubts: Sequence[AuditFinding], who: Account) -> Iterator[list[Block]]:
    if doubts:
        yield doubt_view(doubts)
    if not found.reports:
        yield [line(f"Nothing is left to show of {found.run_id}: no journal of a host is there.")]
    alone = len(found.reports) == 1
    for one in found.reports:
        asked = who_view(who, one.host) if alone else consent_view(who, one.host)
        yield report_view(one, found.run_id, asked, alone=alone, taken_back=found.taken_back.get(one.host, {}))
    if not alone:
        yield who_view(who)
