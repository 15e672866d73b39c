"""runbook completion: what a shell reads to complete commands, hosts, groups and runbooks."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from memrunbook.cli import exit_codes
from memrunbook.cli.streams import tell

VARIABLE = "_RUNBOOK_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print what a shell completes this command by, as in: runbook completion bash >>~/.bash_completion .

    Hosts and groups are those of -i, $RUNBOOK_INVENTORY or config.yaml; an inventory that is a program is not run.
    """
    kind = get_completion_class(shell)
    if kind is None:  # click knows these three
        raise LookupError(shell)
    source = kind(click.get_current_context().find_root().command, {}, "runbook", VARIABLE).source()
    return tell(exit_codes.OK, lambda: sys.stdout.write(f"{source}\n"))
