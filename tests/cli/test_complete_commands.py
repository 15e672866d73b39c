"""Every command that is printed to be copied looks where the command that printed it did."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from tests.cli.books import act, book, look
from tests.cli.console import ROOT, here
from tests.contract.test_store_option import EVERY, options

from memrunbook.ui.commands import commands_in

RECORDED = str(ROOT / "tests" / "hosts" / "swap-thrash.txt")
WAYS = {"state_dir": "--state-dir", "config_dir": "--config-dir", "store": "--store"}


def named(command: str) -> tuple[str, click.Command] | None:
    """The command of ours that a line types."""
    words = command.split()[1:]
    name = next((one for one in (" ".join(words[:2]), " ".join(words[:1])) if one in EVERY), "")
    return (name, EVERY[name]) if name else None


def incomplete(said: str, given: dict[str, str]) -> list[str]:
    """Commands of what was said that take an option which was given and do not have it."""
    lines = [line for line in said.splitlines() if not line.startswith(("usage:", "Command "))]
    found = [line[begin:end] for line in lines for begin, end in commands_in(line)]
    known = [(one, EVERY[known[0]]) for one in found if (known := named(one)) is not None]
    return [
        one for one, command in known for name, way in WAYS.items()
        if name in given and name in options(command) and f"{way} {given[name]}" not in one
    ]  # fmt: skip


@pytest.mark.usefixtures("machine")
def test_no_command_loses_where_its_state_and_configuration_are(tmp_path: Path) -> None:
    config = tmp_path / "conf"
    config.mkdir()
    given = {"state_dir": str(tmp_path / "own"), "config_dir": str(config), "store": str(tmp_path / "own.sqlite")}
    fails = book(tmp_path, look("first", "true"), act("second", "false"), act("third", "true", risk="medium"))
    asked = [
        ("run", fails, "--host", "local", "--yes"),
        ("run", fails, "--host", "local"),
        ("plan", fails, "--host", "local", "--out", str(tmp_path / "plan.json")),
        ("diagnose", "--replay", RECORDED),
        ("plan", "swap-thrashing", "--replay", RECORDED),
        ("facts", "no.such.metric", "--replay", RECORDED),
        ("apply", str(tmp_path / "plan.json")),
        ("runs",),
        ("runs", "-v"),
        ("report", "last"),
        ("report", "no-such-run"),
        ("resume", "last"),
        ("undo", "last"),
        ("pending",),
        ("history",),
        ("history", "--host", "nobody"),
        ("audit", "verify"),
        ("audit", "show", "last"),
        ("schedule", "list"),
        ("schedule", "check"),
        ("schedule", "firings"),
        ("schedule", "run", "--once"),
        ("off", "a", "release"),
        ("run", fails, "--host", "local", "--yes"),
        ("doctor",),
        ("on",),
    ]
    printed = 0
    for words in asked:
        [taken] = [options(EVERY[one]) for one in (" ".join(words[:2]), words[0]) if one in EVERY][:1]
        ways = [word for name, way in WAYS.items() if name in taken for word in (way, given[name])]
        typed = {name: value for name, value in given.items() if name in taken}
        said = here(*words, *ways).said
        printed += said.count("runbook ")
        assert incomplete(said, typed) == [], f"{' '.join(words)}\n{said}"
    assert printed > len(asked) / 2


@pytest.mark.usefixtures("state")
def test_nothing_is_added_where_nothing_was_given() -> None:
    here("diagnose", "--replay", RECORDED, "--config-dir", "/etc")
    said = here("report", "no-such-run").said
    assert "--config-dir" not in said
    assert "--state-dir " not in said.replace("--state-dir names", "")
