"""runbook runs: what was done."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli.options import OUTPUT, STATE, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import state_path

if TYPE_CHECKING:
    from memrunbook.state.runs import Run
    from memrunbook.ui.journal import RunLine


@click.command()
@common(STATE, OUTPUT)
def command(settings: Settings, **_: Any) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended."""
    from memrunbook.state.runs import runs

    found = runs(state_path(settings))
    if settings.json:
        return emit("runs", {"runs": found})
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.journal import runs_view
    from memrunbook.ui.screen import Screen

    lines = [_line(run) for run in found]
    return tell(0, lambda: Screen(settings.color).show(runs_view(lines, SystemClock().now())))


def _line(run: Run) -> RunLine:
    from memrunbook.cli.exit_codes import most_severe
    from memrunbook.ui.journal import RunLine

    began = str(run.first.get("time", ""))
    actor = run.first.get("actor", {})
    ended = run.last.get("hosts", []) if run.last.get("event") == "ended" else []
    outcomes = [str(host.get("outcome")) for host in ended]
    return RunLine(
        run_id=run.run_id,
        utc=dt.datetime.fromisoformat(began).timestamp() if began else 0.0,
        runbook=str(run.first.get("runbook", "?")),
        hosts=run.hosts,
        outcome=most_severe(outcomes) if run.state == "ended" and outcomes else run.state,
        who=str(actor.get("user", "?")),
    )
