"""Pages for people: drawn on a terminal, plain elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memrunbook.cli.reply import Color, Reply

CONVERSES = True


def show(reply: Reply, color: Color) -> None:
    """Draws every page."""
    from memrunbook.ui.screen import Screen

    screen = Screen(color)
    for page in reply.pages():
        screen.show(page)


def record(record: Mapping[str, Any]) -> None:
    """People are told what happens by lines of its own kind."""
