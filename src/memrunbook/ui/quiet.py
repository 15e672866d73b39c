"""The short form of pages: the verdict, what stands right below it, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from memrunbook.ui.block import BLANK, Block, Line
from memrunbook.ui.screen import tell


def short(pages: Iterable[Iterable[Block]]) -> Iterator[list[Block]]:
    """Of each page the lines above its first gap, grid or table; who listens hears the rest when these are drawn."""
    for page in pages:
        blocks = list(page)
        shown = list(takewhile(lambda block: isinstance(block, Line) and block != BLANK, blocks))
        yield shown
        tell(blocks[len(shown) :])
