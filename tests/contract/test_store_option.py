"""Every command that reads or writes the store takes another one by the same words."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from memrunbook.cli.main import group
from memrunbook.cli.options import STORE

FILES_ALONE = {"passkey invite", "passkey list", "schedule preview"}
"""They look at files of the state and configuration directories, and at no store."""


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inside in command.list_commands(context):
            if (one := command.get_command(context, inside)) is not None:
                yield from commands(f"{name} {inside}".strip(), one)
    else:
        yield name, command


EVERY = dict(commands("", group))


def options(command: click.Command) -> dict[str, str]:
    return {option.name or "": option.help or "" for option in command.params if isinstance(option, click.Option)}


WITH_STATE = [name for name, one in EVERY.items() if {"state_dir", "config_dir"} <= options(one).keys()]


def test_the_commands_are_found() -> None:
    assert {"run", "schedule run", *FILES_ALONE} <= EVERY.keys()


@pytest.mark.parametrize("name", sorted({*WITH_STATE} - FILES_ALONE))
def test_who_has_state_and_configuration_takes_a_store(name: str) -> None:
    assert "store" in options(EVERY[name])


@pytest.mark.parametrize("name", [name for name, one in EVERY.items() if "store" in options(one)])
def test_it_says_so_in_the_same_words(name: str) -> None:
    @click.command()
    @STORE.options["store"]
    def one() -> None:
        """Nothing but the option."""

    assert options(EVERY[name])["store"] == options(one)["store"]
