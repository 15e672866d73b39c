"""runbook runs: what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.exit_codes import most_severe
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import typed
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.reporting import RunsResult
    from memrunbook.core.plan.restarts import Helped
    from memrunbook.core.run.flight import OpenStep
    from memrunbook.documents.printed.runs import RunsDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.state.runs import Run
    from memrunbook.ui.block import Block
    from memrunbook.ui.journal import RunLine


@click.command()
@click.option("--unit", default="", metavar="NAME", help="How often runs changed this unit, and how long that helped.")
@common(CONFIG, STATE, STORE, OUTPUT)
def command(unit: str, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended.

    Exit 7 where a step is open.
    """
    from memrunbook.app import list_runs
    from memrunbook.app.accounting import doubts_about_list
    from memrunbook.app.going_on import words_here

    if not state.exists() and typed("state_dir"):
        raise UsageError("there is no such folder", where=f"--state-dir {state}", hint="check the path")
    if unit:
        return _of_unit(unit, library, state, store, output)
    found = list_runs(state)
    doubts = doubts_about_list(state)
    left = exit_codes.UNKNOWN if found.open else exit_codes.OK
    code = exit_codes.worst([exit_codes.JOURNAL if doubts else exit_codes.OK, left])
    words = words_here(state, library, store)
    return show(output, Reply(code, lambda: _document(found, doubts), lambda: _pages(found, doubts, words)))


def _of_unit(unit: str, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    from memrunbook.app import RestartsArguments, restarts
    from memrunbook.documents.printed.restarts import restarts_document

    found = restarts(RestartsArguments(unit=unit, library=library, state=state, store=store))
    return show(output, Reply(exit_codes.OK, lambda: restarts_document(unit, found), lambda: _unit_pages(unit, found)))


def _unit_pages(unit: str, found: Sequence[Helped]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.restarts import restarts_view

    yield restarts_view(unit, found, SystemClock().now())


def _document(found: RunsResult, doubts: Sequence[AuditFinding]) -> RunsDocument:
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.runs import PrintedRun, open_steps, runs_document

    printed = (
        PrintedRun(
            run_id=run.run_id,
            path=str(run.path),
            state=run.state,
            hosts=run.hosts,
            invoked=run.invoked,
            ended=run.ended,
            open=open_steps(one for one in found.open if one.run == run.run_id),
        )
        for run in found.runs
    )
    return runs_document(printed, [finding_of(one.level, one.where, one.message) for one in doubts])


def _pages(found: RunsResult, doubts: Sequence[AuditFinding], words: Sequence[str]) -> Iterator[list[Block]]:
    from memrunbook.app.going_on import completed
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.state.runs import still_changed
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.journal import runs_view

    now, back = SystemClock().now(), still_changed(found.runs)
    lines = [_line(run, found.open, back.get(run.run_id, {}), now.utc) for run in found.runs]
    yield [*doubt_view(doubts), *runs_view(lines, now, lambda command: completed(command, words))]


def _line(run: Run, left: Sequence[OpenStep], back: Mapping[str, float], now: float) -> RunLine:
    from memrunbook.ui.journal import RunLine

    invoked = run.invoked
    outcomes: list[str] = [host.outcome for host in run.ended.hosts] if run.ended else []
    outcomes += ["interrupted"] if run.ended and run.ended.stopped else []
    return RunLine(
        run_id=run.run_id,
        utc=dt.datetime.fromisoformat(invoked.time).timestamp() if invoked else 0.0,
        runbook=invoked.runbook if invoked else "?",
        hosts=run.hosts,
        outcome=most_severe(outcomes) if run.state == "ended" and outcomes else run.state,
        who=invoked.actor.user if invoked else "?",
        open=tuple(f"{opened.host}: {opened.told}" for opened in left if opened.run == run.run_id),
        back=tuple((what, until) for what, until in back.items() if until > now),
    )
