"""runbook completion: what a shell reads to complete commands, hosts, runbooks, runs, schedules and plans."""

from __future__ import annotations

import sys

import click

from memrunbook.cli import completion_scripts, exit_codes
from memrunbook.cli.streams import tell

SCRIPTS = {"bash": completion_scripts.BASH, "zsh": completion_scripts.ZSH, "fish": completion_scripts.FISH}


@click.command()
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> int:
    """Print what a shell completes this command by, as in: runbook completion bash >>~/.bash_completion .

    zsh: into a file _runbook of a folder of $fpath; fish: into ~/.config/fish/completions/runbook.fish . Hosts and
    groups are those of -i, $RUNBOOK_INVENTORY or config.yaml; an inventory that is a program is not run. The ids of
    runs, and the plans that wait, are those of the state directory.
    """
    return tell(exit_codes.OK, lambda: sys.stdout.write(SCRIPTS[shell]))
