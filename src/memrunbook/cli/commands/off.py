"""runbook off: nothing is changed anywhere from now on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from memrunbook.cli.options import CONFIG, STATE, STORE, common, seconds
from memrunbook.cli.streams import say_line
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app import Stored


@click.command()
@click.argument("reason", nargs=-1)
@click.option("--for", "time", metavar="TIME", help="For so long, as in 2h or 14d; without it until: runbook on.")
@click.option("--status", is_flag=True, help="Say how it stands, and change nothing.")
@common(CONFIG, STATE, STORE)
def command(
    reason: tuple[str, ...], time: str | None, library: Library, state: Path, store: str, *, status: bool
) -> int:
    """Stop all changes: who shares this state directory's store makes none, also in runs that are under way."""
    from memrunbook.app import Stored, off_words, switch_off, switched_off, this_actor
    from memrunbook.runtime.clock import SystemClock

    stored = Stored(state, library.config(), store)
    if status:
        off = switched_off(stored)
        say_line(f"OFF: {off}" if off else "ON: changes may be made, each behind its gate.")
        say_line(_bound(stored))
        return 0
    typed = click.get_current_context().get_parameter_source("state_dir") is ParameterSource.COMMANDLINE
    if typed and stored.missing and not state.is_dir():
        hint = "name the one of those who are to be held; what is not there holds nobody"
        raise UsageError("there is no such state directory", where=f"--state-dir {state}", hint=hint)
    now = SystemClock().now().utc
    before = switched_off(stored)
    switch = switch_off(stored, now, this_actor().user, " ".join(reason), seconds(time, "--for"))
    say_line(f"OFF: {off_words(switch, now)}")
    if before:
        say_line(f"Until now: {before}")
    say_line(_bound(stored))
    say_line("Diagnoses and plans go on. What is under way ends; nothing new is begun. Again: runbook on")
    return 0


def _bound(stored: Stored) -> str:
    return f"It binds whoever uses the store {stored.name}; who uses another one knows nothing of it."
