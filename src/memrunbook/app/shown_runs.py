"""What is told of the runs of a state directory: the document, and a line for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from memrunbook.app.elsewhere import NOWHERE, RunsElsewhere
from memrunbook.core.instant import Instant
from memrunbook.state.runs import still_changed

if TYPE_CHECKING:
    from memrunbook.app.reporting import RunsResult
    from memrunbook.core.run.flight import OpenStep
    from memrunbook.documents.printed.runs import RunsDocument
    from memrunbook.state.audit import AuditFinding
    from memrunbook.state.runs import Run
    from memrunbook.state.store.journals import IndexedRun
    from memrunbook.ui.block import Block
    from memrunbook.ui.journal import RunLine


NOT_ENDED = "not ended"
"""Of a run of another control node: whether it goes on or was cut off is known there alone."""
Severest = Callable[[Sequence[str]], str]
"""Of the outcomes of several hosts the one that an exit code is about."""


def list_document(
    found: RunsResult, doubts: Sequence[AuditFinding], elsewhere: RunsElsewhere = NOWHERE
) -> RunsDocument:
    """The document of `runbook runs --json`."""
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.runs import PrintedRun, PrintedRunElsewhere, open_steps, runs_document

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
    findings = [finding_of(one.level, one.where, one.message) for one in doubts]
    others = [
        PrintedRunElsewhere(
            run_id=one.run,
            node=one.node,
            runbook=one.runbook,
            who=one.who,
            reason=one.reason,
            hosts=one.hosts,
            part_of=one.part_of,
            began=Instant(one.began, 0.0).isoformat(),
            ended=None if one.ended is None else Instant(one.ended, 0.0).isoformat(),
            outcomes=dict(one.outcomes),
        )
        for one in elsewhere.others(found.runs)
    ]
    return runs_document(printed, findings, others, elsewhere.problem, cut=elsewhere.cut)


def list_page(
    found: RunsResult,
    doubts: Sequence[AuditFinding],
    words: Sequence[str],
    severest: Severest,
    elsewhere: RunsElsewhere = NOWHERE,
) -> list[Block]:
    """The page of the screen; its commands are completed by the `words` that say where this is."""
    from memrunbook.app.going_on import completed
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.journal import runs_view, unknown_view

    now = SystemClock().now()
    lines = [*run_lines(found, now, severest), *(_elsewhere(one, severest) for one in elsewhere.alone(found.runs))]
    return [
        *doubt_view(doubts),
        *runs_view(
            sorted(lines, key=lambda one: one.utc, reverse=True) if elsewhere.runs else lines,
            now,
            lambda command: completed(command, words),
        ),
        *unknown_view(elsewhere.name, elsewhere.problem, cut=elsewhere.cut),
    ]


def run_lines(found: RunsResult, now: Instant, severest: Severest) -> list[RunLine]:
    """A line for each run."""
    back = still_changed(found.runs)
    return [_line(run, found.open, back.get(run.run_id, {}), now.utc, severest) for run in found.runs]


def _elsewhere(one: IndexedRun, severest: Severest) -> RunLine:
    from memrunbook.ui.journal import RunLine

    outcomes = [word for _, word in one.outcomes]
    outcome = NOT_ENDED if one.ended is None else severest(outcomes) if outcomes else "ended"
    return RunLine(one.run, one.began, one.runbook, one.hosts, outcome, one.who, node=one.node)


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
