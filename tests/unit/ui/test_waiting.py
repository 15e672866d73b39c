"""The line that says what is waited for."""

from __future__ import annotations

import io

from memrunbook.ui.block import line
from memrunbook.ui.screen import Screen
from memrunbook.ui.waiting import TO_START, WaitingLine


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_it_is_replaced_and_goes_away_and_what_stays_stands_above_it() -> None:
    stream = Stream(terminal=True)
    waiting = WaitingLine(Screen("never", stream, {"TERM": "xterm"}, 80))
    waiting.clear()
    waiting.above([line("before")])
    waiting.say("reading db7")
    waiting.above([line("it stays")])
    waiting.clear()
    shown = f"{TO_START}reading db7; Ctrl-C to give up\r"
    assert stream.getvalue() == f"{TO_START}before\n{shown}{TO_START}it stays\n{shown}{TO_START}"


def test_off_a_terminal_only_what_stays_is_written() -> None:
    stream = Stream(terminal=False)
    waiting = WaitingLine(Screen("never", stream, {}))
    waiting.say("reading db7")
    waiting.above([line("it stays")])
    waiting.clear()
    assert stream.getvalue() == "it stays\n"
