"""runbook on: changes may be made again."""

from __future__ import annotations

from pathlib import Path

import click

from memrunbook.cli.options import CONFIG, STATE, STORE, common
from memrunbook.cli.streams import say_line
from memrunbook.documents.library import Library


@click.command()
@common(CONFIG, STATE, STORE)
def command(library: Library, state: Path, store: str) -> int:
    """End what `runbook off` began."""
    from memrunbook.app import Stored, switch_on, this_actor
    from memrunbook.runtime.clock import SystemClock

    stored = Stored(state, library.config(), store)
    switch_on(stored, SystemClock().now().utc, this_actor().user)
    say_line(f"ON: changes may be made, each behind its gate, by whoever uses the store {stored.name}.")
    return 0
