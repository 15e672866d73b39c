"""One line of a terminal that says what is being waited for, and goes away."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from memrunbook.ui.block import Block
from memrunbook.ui.screen import Screen

TO_START = "\r\x1b[K"


class WaitingLine:
    """The line where the cursor stands; nothing off a terminal. Safe with several threads, never raises."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._turn = threading.RLock()
        self._words = ""

    def say(self, words: str) -> None:
        """Replaces what the line says."""
        with self._turn:
            self._words = words
            self._write(f"{TO_START}{words}; Ctrl-C to give up\r")

    def above(self, blocks: Iterable[Block]) -> None:
        """Draws blocks that stay, above the line."""
        with self._turn:
            self._write(TO_START)
            self._screen.say(blocks)
            if self._words:
                self.say(self._words)

    def clear(self) -> None:
        """Takes the line away."""
        with self._turn:
            if self._words:
                self._words = ""
                self._write(TO_START)

    def _write(self, text: str) -> None:
        if self._screen.terminal:
            self._screen.stream.write(text)
            self._screen.stream.flush()
