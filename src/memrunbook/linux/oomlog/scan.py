"""Finds in a block of a log the lines that hold one of some words, without a look at any other line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Hit(NamedTuple):
    """A line by its place in the block, and the words in it, in the order in which they were asked for."""

    start: int
    end: int
    words: list[bytes]


def hits(block: bytes, words: Iterable[bytes], begin: int, end: int) -> list[Hit]:
    """The lines of a block that hold a word, in their order, from the line at `begin` up to the line before `end`."""
    found: dict[int, Hit] = {}
    for word in words:
        place = block.find(word, begin, end)
        while place >= 0:
            place += word.startswith(b"\n")
            start = block.rfind(b"\n", begin, place) + 1 or begin
            hit = found.get(start)
            if hit is None:
                stop = block.find(b"\n", place)
                hit = found[start] = Hit(start, len(block) if stop < 0 else stop, [])
            hit.words.append(word)
            place = block.find(word, hit.end, end)
    return sorted(found.values())
