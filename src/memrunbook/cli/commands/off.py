"""runbook off: nothing is changed anywhere from now on."""

from __future__ import annotations

from pathlib import Path

import click

from memrunbook.cli.options import CONFIG, STATE, STORE, common, seconds
from memrunbook.documents.library import Library


@click.command()
@click.argument("reason", nargs=-1)
@click.option("--for", "time", metavar="TIME", help="For so long, as in 2h or 14d; without it until: runbook on.")
@common(CONFIG, STATE, STORE)
def command(reason: tuple[str, ...], time: str | None, library: Library, state: Path, store: str) -> int:
    """Stop all changes: who shares this state directory's store makes none, also in runs that are under way."""
    from memrunbook.app import Stored, off_words, switch_off, this_actor
    from memrunbook.runtime.clock import SystemClock

    now = SystemClock().now().utc
    stored, until = Stored(state, library.config(), store), seconds(time, "--for")
    switch = switch_off(stored, now, this_actor().user, " ".join(reason), until)
    click.echo(f"OFF: {off_words(switch, now)}")
    click.echo("Diagnoses and plans go on. What is under way ends; nothing new is begun. Again: runbook on")
    return 0
