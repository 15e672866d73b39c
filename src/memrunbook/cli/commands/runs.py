"""runbook runs: what was done."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli.options import OUTPUT, STATE, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.wiring import state_path


@click.command()
@common(STATE, OUTPUT)
def command(settings: Settings, **_: Any) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended."""
    from memrunbook.state.runs import runs

    found = sorted(runs(state_path(settings)), key=lambda run: run.run_id, reverse=True)
    if settings.json:
        return emit("runs", {"runs": found})
    from memrunbook.ui.runs import runs_view
    from memrunbook.ui.screen import Screen

    Screen(settings.color).show(runs_view(found))
    return 0
