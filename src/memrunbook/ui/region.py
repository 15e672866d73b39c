"""A small region at the foot of a terminal that is drawn anew while time passes; what is said stays above it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from memrunbook.ui.block import Block, Text, text
from memrunbook.ui.screen import Screen, as_rich

PER_SECOND = 2
ECHO = 3
"""Columns that are left at the end of a line: where Ctrl-C is echoed behind it, no new line must begin."""


class Region:
    """What `drawn` says for so many columns and lines. Off a terminal nothing is drawn, and what is said is written.

    Safe with several threads. While a question stands nothing is drawn, and what is said meanwhile waits for its end:
    nobody who has something to say waits for whoever is asked.
    """

    def __init__(self, screen: Screen, drawn: Callable[[int, int], Sequence[Text]]) -> None:
        self.moves = screen.terminal and not screen.dumb
        self._screen = screen
        self._drawn = drawn
        self._turn = threading.RLock()
        self._open = False
        self._questions = 0
        self._kept: list[Sequence[Block]] = []
        self._live: Any = None

    def open(self) -> None:
        """From now on it is drawn."""
        with self._turn:
            self._open = True
            self._start()

    def close(self) -> None:
        """Takes it away; nothing of it is left."""
        with self._turn:
            self._open = False
            self._stop()

    def say(self, *shown: Block) -> None:
        """A line, or several, that stay."""
        with self._turn:
            if self._questions:
                self._kept.append(shown)
                return
            self._stop()
            try:
                self._screen.say(shown)
            finally:
                self._start()

    @contextmanager
    def questioned(self) -> Iterator[None]:
        """A question stands meanwhile."""
        with self._turn:
            self._questions += 1
            self._stop()
        try:
            yield
        finally:
            with self._turn, suppress(OSError):  # the terminal has gone; the run ends by its own rules
                self._questions -= 1
                self._say_kept()
                self._start()

    def _say_kept(self) -> None:
        if not self._questions:
            kept, self._kept = self._kept, []
            for shown in kept:
                self._screen.say(shown)

    def _start(self) -> None:
        # A new one each time: a display that is started again clears the lines written meanwhile.
        if self.moves and self._open and not self._questions and self._live is None:
            live = _live(self._screen, self._shown)
            try:
                live.start(refresh=True)
                self._live = live
            except OSError:
                self.moves = False

    def _stop(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _shown(self) -> Any:
        # The drawing thread takes no lock: whoever stops it holds the lock while it ends.
        columns, height = self._screen.room()
        lines = self._drawn(columns - ECHO, height)
        parts = [part for number, content in enumerate(lines) for part in ("\n" if number else "", content)]
        shown = as_rich(text(*parts))
        shown.no_wrap, shown.overflow = True, "crop"
        return shown if lines else ""


def _live(screen: Screen, drawn: Callable[[], Any]) -> Any:
    from rich.live import Live

    return Live(console=screen.console(), get_renderable=drawn, refresh_per_second=PER_SECOND, transient=True,
                redirect_stdout=False, redirect_stderr=False)  # fmt: skip
