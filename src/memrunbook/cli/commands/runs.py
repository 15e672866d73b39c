"""runbook runs: what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli.exit_codes import most_severe
from memrunbook.cli.options import OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show

if TYPE_CHECKING:
    from memrunbook.documents.printed.runs import RunsDocument
    from memrunbook.state.runs import Run
    from memrunbook.ui.block import Block
    from memrunbook.ui.journal import RunLine


@click.command()
@common(STATE, OUTPUT)
def command(state: Path, output: OutputOptions) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended."""
    from memrunbook.app import list_runs

    found = list_runs(state)
    return show(output, Reply(0, lambda: _document(found), lambda: _pages(found)))


def _document(found: list[Run]) -> RunsDocument:
    from memrunbook.documents.printed.runs import PrintedRun, runs_document

    return runs_document(
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


def _pages(found: list[Run]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.journal import runs_view

    yield runs_view([_line(run) for run in found], SystemClock().now())


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
