"""Pages for people: drawn on a terminal, plain elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memrunbook.cli.answer import Answer, Color

CONVERSES = True


def show(answer: Answer, color: Color) -> None:
    """Draws every page."""
    from memrunbook.ui.screen import Screen

    screen = Screen(color)
    for page in answer.pages():
        screen.show(page)


def record(record: Mapping[str, Any]) -> None:
    """People are told what happens by lines of its own kind."""
