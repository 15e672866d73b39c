"""Commands of messages are complete wherever they are typed, and have no option that they do not know."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from memrunbook.app.going_on import CONFIG, KNOWN, STATE, STORE, TAKES, completed, completed_in, resume_in, words_here
from memrunbook.app.scheduling import AGAIN
from memrunbook.cli.main import group
from memrunbook.documents.library import Library

HERE = ["--identity", "/k", "--state-dir", "/s", "--config-dir", "/my files", "--store", "postgresql://db/r", "-K"]

ELSEWHERE = "--config-dir '/my files' --store postgresql://db/r"
PLACES = f"--state-dir /s {ELSEWHERE}"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("runbook report R1", f"runbook report R1 {PLACES}"),
        ("runbook report R1 --state-dir /other", f"runbook report R1 --state-dir /other {ELSEWHERE}"),
        ("runbook report R1 --identity /k --state-dir /s", f"runbook report R1 {PLACES}"),
        ("runbook approve /p.json", "runbook approve /p.json --config-dir '/my files' --store postgresql://db/r"),
        ("runbook schedule firings night", f"runbook schedule firings night {PLACES}"),
        ("runbook apply /p.json -K", f"runbook apply /p.json -K --identity /k {PLACES}"),
        ("systemctl status x", "systemctl status x"),
        ("", ""),
    ],
)
def test_what_is_missing_is_added_and_what_is_not_taken_left_out(command: str, said: str) -> None:
    assert completed(command, HERE) == said
    assert completed(said, HERE) == said


LEFT = "runbook resume R1 looks at it and goes on; --break-lock takes the lock and nothing else"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (LEFT, LEFT.replace("R1", f"R1 --identity /k {PLACES}")),
        (
            "all that wait: runbook pending",
            "all that wait: runbook pending --state-dir /s --config-dir '/my files' --store postgresql://db/r",
        ),
        ("its command line: runbook report \\", "its command line: runbook report \\"),
        ("nothing to type", "nothing to type"),
        (AGAIN, f"{AGAIN} --identity /k {PLACES}"),
    ],
)
def test_a_command_inside_of_a_hint_is_completed(said: str, expected: str) -> None:
    assert completed_in(said, [one for one in HERE if one != "-K"]) == expected


def test_what_goes_on_with_an_earlier_run_is_found_in_a_hint() -> None:
    assert resume_in(LEFT) == ("resume", "R1")
    assert resume_in("runbook resume waits for that and looks") == ()
    assert resume_in("look at the other hosts first") == ()


def options(command: click.Command) -> Iterator[str]:
    return (name for option in command.params if isinstance(option, click.Option) for name in option.opts)


@pytest.mark.parametrize("name", TAKES)
def test_each_command_takes_just_these_options(name: str) -> None:
    command: click.Command = group
    with click.Context(command) as context:
        for word in name.split():
            assert isinstance(command, click.Group)
            found = command.get_command(context, word)
            assert found is not None
            command = found
    assert KNOWN.intersection(options(command)) == TAKES[name]


def test_what_is_usual_is_not_said_and_what_the_environment_says_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUNBOOK_STATE_DIR", "RUNBOOK_STORE", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.getuid", lambda: 1000)
    usual = tmp_path / ".local" / "state" / "memrunbook"
    plain = Library(settings=tmp_path / ".config" / "memrunbook" / "config.yaml")
    assert words_here(usual, plain, "") == []
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "s"))
    monkeypatch.setenv("RUNBOOK_STORE", "postgresql://runbook:zirconium-42@db/r")
    said = words_here(
        tmp_path / "s", Library(settings=tmp_path / "c" / "config.yaml"), "", ["--forks", "3", STORE, "x"]
    )
    assert said == [STATE, f"{tmp_path}/s", CONFIG, f"{tmp_path}/c", STORE, "postgresql://runbook@db/r", "--forks", "3"]
    assert "zirconium" not in shlex.join(said)
    assert words_here(tmp_path / "s", Library(timetable=tmp_path / "c" / "schedules.yaml"), "")[2:4] == [
        CONFIG,
        f"{tmp_path}/c",
    ]
