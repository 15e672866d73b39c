"""What helps whoever does not know the command yet: its help, and what it says of a wrong word."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from tests.cli.console import here, terminal


def test_commands_are_listed_with_names_as_they_are_written() -> None:
    said = " ".join(here("--help").out.split())
    assert "Answer alerts of Prometheus" in said
    assert said.index(" pending ") < said.index(" history ") < said.index(" completion "), "as people meet them"


@pytest.mark.parametrize("group", ["schedule", "notify", "audit"])
def test_a_command_of_several_says_the_whole_sentence_of_each(group: str) -> None:
    listed = here(group, "--help").out.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


GROUPS = [(), ("audit",), ("schedule",), ("notify",), ("passkey",)]


@pytest.mark.parametrize("words", GROUPS, ids=lambda words: " ".join(("runbook", *words)))
def test_a_command_without_its_second_word_says_which_there_are(words: tuple[str, ...]) -> None:
    """Nothing was tried: 2, as a script must see that forgot a word; stdout is for results."""
    ran = here(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip() == here(*words, "--help").out.strip()


def test_these_are_all_the_groups() -> None:
    from tools.man import commands

    assert {name for name, command in commands().items() if isinstance(command, click.Group)} == {
        " ".join(("runbook", *words)) for words in GROUPS
    }


def test_an_error_at_a_terminal_is_folded_between_words() -> None:
    words = ("history", "--since", "some day in the year before the one that was before this one, or so I think")
    with terminal(*words, columns=60) as screen:
        assert screen.wait() == 2
    lines = screen.drawn.splitlines()
    assert lines[0].startswith("error: ")
    assert all(len(line) <= 60 for line in lines), screen.drawn
    assert "  hint: " in screen.drawn


def test_a_choice_that_is_missing_is_one_line() -> None:
    here("import-history").refused(2, "Choose from: sar, prometheus", hint="runbook import-history --help")


def test_what_a_command_says_is_folded_between_words(tmp_path: Path) -> None:
    with terminal("off", "--status", f"--state-dir={tmp_path}", columns=60) as screen:
        assert screen.wait() == 0
    lines = screen.drawn.splitlines()
    assert all(len(line) <= 60 for line in lines if str(tmp_path) not in line), screen.drawn
    assert "who uses another one knows nothing of it." in " ".join(screen.drawn.split())
