"""What is told of the runs of a state directory: the document, and a line for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from memrunbook.core.instant import Instant
from memrunbook.state.runs import still_changed

if TYPE_CHECKING:
    from memrunbook.app.reporting import RunsResult
    from memrunbook.core.run.flight import OpenStep
    from memrunbook.documents.printed.runs import RunsDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.state.runs import Run
    from memrunbook.ui.block import Block
    from memrunbook.ui.journal import RunLine


Severest = Callable[[Sequence[str]], str]
"""Of the outcomes of several hosts the one that an exit code is about."""


def list_document(found: RunsResult, doubts: Sequence[AuditFinding]) -> RunsDocument:
    """The document of `runbook runs --json`."""
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


def list_page(
    found: RunsResult, doubts: Sequence[AuditFinding], words: Sequence[str], severest: Severest
) -> list[Block]:
    """The page of the screen; its commands are completed by the `words` that say where this is."""
    from memrunbook.app.going_on import completed
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.journal import runs_view

    now = SystemClock().now()
    return [
        *doubt_view(doubts),
        *runs_view(run_lines(found, now, severest), now, lambda command: completed(command, words)),
    ]


def run_lines(found: RunsResult, now: Instant, severest: Severest) -> list[RunLine]:
    """A line for each run."""
    back = still_changed(found.runs)
    return [_line(run, found.open, back.get(run.run_id, {}), now.utc, severest) for run in found.runs]


def _line(run: Run, left: Sequence[OpenStep], back: Mapping[str, float], now: float, severest: Severest) -> RunLine:
    from memrunbook.ui.journal import RunLine

    invoked = run.invoked
    outcomes: list[str] = [host.outcome for host in run.ended.hosts] if run.ended else []
    outcomes += ["interrupted"] if run.ended and run.ended.stopped else []
    return RunLine(
        run_id=run.run_id,
        utc=dt.datetime.fromisoformat(invoked.time).timestamp() if invoked else 0.0,
        runbook=invoked.runbook if invoked else "?",
        hosts=run.hosts,
        outcome=severest(outcomes) if run.state == "ended" and outcomes else run.state,
        who=invoked.actor.user if invoked else "?",
        open=tuple(f"{opened.host}: {opened.told}" for opened in left if opened.run == run.run_id),
        back=tuple((what, until) for what, until in back.items() if until > now),
    )
