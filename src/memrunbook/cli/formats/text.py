"""Pages for people: drawn on a terminal, plain elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from memrunbook.cli.reply import Color, Reply

if TYPE_CHECKING:
    from msgspec import Struct

    from memrunbook.documents.printed import Document

CONVERSES = True
BY_HOST = False


def show(reply: Reply, color: Color) -> None:
    """Draws every page."""
    from memrunbook.ui.screen import Screen

    screen = Screen(color)
    for page in reply.pages():
        screen.show(page)


def host(line: Callable[[], Document]) -> None:
    """People are shown all hosts at the end, the worst first."""


def record(record: Mapping[str, Any]) -> None:
    """People are told what happens by lines of its own kind."""


def pack(part: Struct) -> bytes:
    """Nothing: people are shown pages."""
    del part
    return b""
