"""The switch on the host: any file of that name stops a change, whatever it is; every shell says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.actions.shells import Machine

from memrunbook.linux.switch import FILES, LOOK, SWITCHED_OFF

WAYS: dict[str, tuple[Callable[[Path], object], str]] = {
    "with a reason": (lambda path: path.write_text("2026-11-29 ada: a release\nmore\n"), "2026-11-29 ada: a release"),
    "without an end of line": (lambda path: path.write_text("ada"), "ada"),
    "empty": (Path.touch, "nothing"),
    "a folder": (Path.mkdir, "nothing"),
    "a pipe that nobody writes to": (os.mkfifo, "nothing"),
    "a link to nowhere": (lambda path: path.symlink_to("/nonexistent"), "nothing"),
    "what looks like sh": (lambda path: path.write_text("$(reboot) `reboot` %s\n"), "$(reboot) `reboot` %s"),
}


def placed(machine: Machine, number: int) -> tuple[Path, str]:
    """A file of this test in place of one of the host, and the script that looks for it."""
    script = LOOK + 'printf "%s\\n" changed\n'
    for n, file in enumerate(FILES):
        script = script.replace(file, str(machine.folder / f"off{n}"))
    return machine.folder / f"off{number}", script


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(len(FILES)))
def test_any_file_of_that_name_stops_the_change(machine: Machine, way: str, number: int) -> None:
    path, script = placed(machine, number)
    make, said = WAYS[way]
    make(path)
    ended = machine.do(script)
    assert (ended.status, ended.text) == (SWITCHED_OFF, f"{path} says: {said}\n")


def test_without_one_changes_are_made(machine: Machine) -> None:
    _, script = placed(machine, 0)
    ended = machine.do(script)
    assert (ended.status, ended.text) == (0, "changed\n")
