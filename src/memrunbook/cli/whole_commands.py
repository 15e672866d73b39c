"""Commands that are printed get the options that say where things are: without them they would look elsewhere."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from memrunbook.cli.next_command import OptionsOf

PLACES = frozenset({"state_dir", "store", "config_dir", "runbooks"})


def keep_commands_whole() -> None:
    """From now on each command that is drawn gets those of these options that were typed, that it takes and has not.

    Where none was typed nothing is loaded.
    """
    source = click.get_current_context().get_parameter_source
    if any(source(name) is ParameterSource.COMMANDLINE for name in PLACES):
        from memrunbook.cli.next_command import KEPT, OptionsOf
        from memrunbook.ui.completing import complete_by

        complete_by(partial(_completed, OptionsOf(*KEPT - PLACES)))
    elif (completing := sys.modules.get("memrunbook.ui.completing")) is not None:
        completing.complete_by(None)


def _completed(options: OptionsOf, command: str) -> str:
    try:
        typed = shlex.split(command)
    except ValueError:  # words of a host that only look like one
        return command
    if typed[:1] != ["runbook"] or "|" in typed or typed[1:2] == ["worker"]:  # which is started on another node
        return command
    has = {word.partition("=")[0] for word in typed}
    words = iter(options(typed[1:]))
    more = [word for option, value in zip(words, words, strict=True) if option not in has for word in (option, value)]
    return f"{command} {shlex.join(more)}" if more else command
