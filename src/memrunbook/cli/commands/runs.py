"""runbook runs: what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.exit_codes import most_severe
from memrunbook.cli.options import OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show

if TYPE_CHECKING:
    from memrunbook.documents.printed.runs import RunsDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.state.runs import Run
    from memrunbook.ui.block import Block
    from memrunbook.ui.journal import RunLine


@click.command()
@common(STATE, OUTPUT)
def command(state: Path, output: OutputOptions) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended."""
    from memrunbook.app import list_runs
    from memrunbook.app.accounting import doubts_about_list

    found = list_runs(state)
    doubts = doubts_about_list(state)
    code = exit_codes.JOURNAL if doubts else exit_codes.OK
    return show(output, Reply(code, lambda: _document(found, doubts), lambda: _pages(found, doubts)))


def _document(found: list[Run], doubts: Sequence[AuditFinding]) -> RunsDocument:
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.runs import PrintedRun, runs_document

    printed = (
        PrintedRun(
            run_id=run.run_id,
            path=str(run.path),
            state=run.state,
            hosts=run.hosts,
            invoked=run.invoked,
            ended=run.ended,
        )
        for run in found
    )
    return runs_document(printed, [finding_of(one.level, one.where, one.message) for one in doubts])


def _pages(found: list[Run], doubts: Sequence[AuditFinding]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.journal import runs_view

    yield [*doubt_view(doubts), *runs_view([_line(run) for run in found], SystemClock().now())]


def _line(run: Run) -> RunLine:
    from memrunbook.ui.journal import RunLine

    invoked = run.invoked
    outcomes = [host.outcome for host in run.ended.hosts] if run.ended else []
    return RunLine(
        run_id=run.run_id,
        utc=dt.datetime.fromisoformat(invoked.time).timestamp() if invoked else 0.0,
        runbook=invoked.runbook if invoked else "?",
        hosts=run.hosts,
        outcome=most_severe(outcomes) if run.state == "ended" and outcomes else run.state,
        who=invoked.actor.user if invoked else "?",
    )
