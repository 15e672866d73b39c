"""runbook on: changes may be made again."""

from __future__ import annotations

from pathlib import Path

import click

from memrunbook.cli.options import STATE, common


@click.command()
@common(STATE)
def command(state: Path) -> int:
    """End what `runbook off` began."""
    from memrunbook.app import switch_on, this_actor
    from memrunbook.runtime.clock import SystemClock

    switch_on(state, SystemClock().now().utc, this_actor().user)
    click.echo("ON: changes may be made again, each behind its gate.")
    return 0
