"""What the screen shows, character for character: 80 and 120 columns, terminal and pipe, colour and NO_COLOR.

UPDATE_GOLDEN=1 writes the files anew; read the difference before you keep it.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from tests.golden.cases import CASES

from memrunbook.ui.screen import Screen

FOLDER = Path(__file__).parent
XTERM = {"TERM": "xterm-256color"}
MODES = {
    "terminal-80-color": (True, XTERM, 80),
    "terminal-80": (True, {**XTERM, "NO_COLOR": "1"}, 80),
    "terminal-120": (True, {"TERM": "dumb"}, 120),
    "pipe": (False, XTERM, None),
}


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def drawn(name: str, mode: str) -> str:
    terminal, environ, width = MODES[mode]
    stream = Stream(terminal=terminal)
    Screen("auto", stream, environ, width).show(CASES[name]())
    return stream.getvalue()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_page_is_the_one_that_was_agreed_on(name: str, mode: str) -> None:
    file = FOLDER / f"{name}.{mode}.txt"
    shown = drawn(name, mode)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_page() -> None:
    expected = {f"{name}.{mode}.txt" for name in CASES for mode in MODES}
    assert {file.name for file in FOLDER.glob("*.txt")} == expected
