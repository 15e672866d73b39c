"""What a person should know beside the result, on stderr."""

from __future__ import annotations

import sys

from memrunbook.app.notice import Notice
from memrunbook.cli.reply import Color
from memrunbook.cli.streams import while_heard


class Remarks(Notice):
    """Says that something is not as it should be, where it changes nothing of the result."""

    def __init__(self, color: Color) -> None:
        self._color = color

    def remark(self, words: str, hint: str) -> None:
        """Says it in a note, whatever the format."""
        from memrunbook.ui.errors import notice
        from memrunbook.ui.screen import Screen

        while_heard(Screen(self._color, sys.stderr).show)(notice(words, hint))
