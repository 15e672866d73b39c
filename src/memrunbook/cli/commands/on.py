"""runbook on: changes may be made again."""

from __future__ import annotations

from pathlib import Path

import click

from memrunbook.cli.options import CONFIG, STATE, STORE, common
from memrunbook.documents.library import Library


@click.command()
@common(CONFIG, STATE, STORE)
def command(library: Library, state: Path, store: str) -> int:
    """End what `runbook off` began."""
    from memrunbook.app import Stored, switch_on, this_actor
    from memrunbook.runtime.clock import SystemClock

    switch_on(Stored(state, library.config(), store), SystemClock().now().utc, this_actor().user)
    click.echo("ON: changes may be made again, each behind its gate.")
    return 0
