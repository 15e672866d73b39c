"""The screen: whether a stream is a terminal, how wide it is, whether it has colour; draws blocks on it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TextIO

from memrunbook.ui.block import Block, Style, Text
from memrunbook.ui.completing import completed
from memrunbook.ui.layout import lay_out
from memrunbook.ui.overheard import hear, is_heard

ColorChoice = Literal["auto", "always", "never"]
NARROWEST = 40
USUAL = 80
USUAL_LINES = 24
STYLES: Mapping[Style, str] = {
    "": "",
    "critical": "bold red",
    "warning": "yellow",
    "good": "green",
    "unknown": "magenta",
    "strong": "bold",
    "quiet": "dim",
    "hint": "cyan",
}


class Screen:
    """One stream and how to draw on it; `width` is None off a terminal, where no line is ever folded or cut.

    rich is loaded when the first line needs colour, never before.
    """

    def __init__(
        self,
        color: ColorChoice = "auto",
        stream: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
        width: int | None = None,
    ) -> None:
        """Draws on `stream` (default: stdout); `width` in columns overrides what the terminal says."""
        environ = os.environ if environ is None else environ
        self.stream = stream = sys.stdout if stream is None else stream
        self.terminal = stream.isatty()
        self.dumb = environ.get("TERM", "") in ("", "dumb")
        self.color = color == "always" or (
            color == "auto" and self.terminal and not self.dumb and not environ.get("NO_COLOR")
        )
        self.width = max(NARROWEST, width or _columns(stream, environ)) if self.terminal else None
        self._begun = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def show(self, blocks: Iterable[Block]) -> None:
        """Draws a page, a blank line below the page before it."""
        blocks = _told(blocks)
        lines = lay_out(blocks, self.width)
        if self._begun and lines and lines[0]:
            lines.insert(0, ())
        self._begun = self._begun or bool(lines)
        self._draw(lines)

    def say(self, blocks: Iterable[Block]) -> None:
        """Draws blocks that go on where the last ones ended: lines of a conversation."""
        blocks = _told(blocks)
        self._draw(lay_out(blocks, self.width))

    def ask(self, blocks: Iterable[Block]) -> None:
        """Draws blocks without the last line's end, so that an answer is typed behind them."""
        blocks = _told(blocks)
        lines = lay_out(blocks, self.width)
        for index, line in enumerate(lines):
            self._write(line, " " if index + 1 == len(lines) else "\n")
        self.stream.flush()

    def room(self) -> tuple[int, int]:
        """Columns and lines of the terminal as it is now: people change its size; no more columns than `width`."""
        try:
            size = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            size = os.terminal_size((self.width or USUAL, USUAL_LINES))
        return min(self.width or USUAL, size.columns or USUAL), size.lines or USUAL_LINES

    def console(self) -> Any:
        """A rich console on this stream, with nothing of its own that interprets text."""
        from rich.console import Console

        return Console(
            file=self.stream,
            force_terminal=self.terminal or self.color,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            width=self.width,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )

    def _draw(self, lines: Iterable[Text]) -> None:
        for line in lines:
            self._write(line, "\n")
        self.stream.flush()

    def _write(self, line: Text, end: str) -> None:
        if self.color and any(span.style for span in line):
            content = as_rich(line)
            content.plain = content.plain.rstrip(" ")
            self.console().print(content, end=end, soft_wrap=True)
        else:
            self.stream.write("".join(span.text for span in line).rstrip(" ") + end)


def _told(blocks: Iterable[Block]) -> Iterable[Block]:
    """The same, with the commands in them complete; whoever listens hears them as they are off a terminal."""
    blocks = completed(blocks)
    if not is_heard():
        return blocks
    blocks = list(blocks)
    tell(blocks)
    return blocks


def tell(blocks: Iterable[Block]) -> None:
    """Tells it to whoever listens, and to nobody else."""
    for line in lay_out(blocks, None) if is_heard() else ():
        hear("".join(span.text for span in line))


def as_rich(content: Text) -> Any:
    """The text as rich draws it, inserted as plain text."""
    from rich.text import Text as RichText

    return RichText.assemble(*((span.text, STYLES[span.style]) for span in content))


def _columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    named = environ.get("COLUMNS", "")
    if named.isdecimal() and int(named):
        return int(named)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    except (OSError, ValueError):
        return USUAL
