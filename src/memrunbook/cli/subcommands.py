"""A command that is made of several: its help lists each with its whole first sentence."""

from __future__ import annotations

import inspect

import click


class Subcommands(click.Group):
    """As click's own, which cuts what it says of a command after some words."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands, what each does beside it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(self.commands[name])) for name in self.list_commands(ctx)])


def _first_sentence(command: click.Command) -> str:
    words = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())
    return words.partition(". ")[0].removesuffix(".") + "."
