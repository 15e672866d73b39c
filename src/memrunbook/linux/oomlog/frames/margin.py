"""What stands in front of every line: quoting of mails, numbers of lines, the marks of Markdown."""

from __future__ import annotations

import re
from itertools import pairwise

_QUOTE = re.compile(rb"(?m)^(?:[>|][ \t]?)+")
_TICKS = re.compile(rb"(?m)^(`{1,2})([^`\n]+)\1$")
_NUMBER = re.compile(rb"[ \t]*(\d{1,8})(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
_NUMBERS = re.compile(rb"(?m)^[ \t]*\d{1,8}(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
SAMPLE, FEWEST = 40, 2


def unmargined(block: bytes) -> bytes:
    """A block of whole lines without it; what quotes may be outside and inside of numbers."""
    bare = _unmarked(block)
    counted = _unnumbered(bare)
    return bare if counted is bare else _unnumbered(_unmarked(counted))


def _unmarked(block: bytes) -> bytes:
    if (
        any(byte in block and b"\n" + byte in block for byte in (b">", b"|")) and len(_QUOTE.findall(block)) >= FEWEST
    ):  # one may be a broken word
        block = _QUOTE.sub(b"", block)
    return _TICKS.sub(rb"\2", block) if b"`" in block else block


def _unnumbered(block: bytes) -> bytes:
    """Without the numbers of its lines, where each of the first ones has one, greater than that before."""
    if not block[:24].lstrip()[:1].isdigit():
        return block
    lines = [line for line in block[: SAMPLE * 200].split(b"\n")[:SAMPLE] if line]
    found = [_NUMBER.match(line) for line in lines]
    numbers = [int(one[1]) for one in found if one]
    if len(numbers) < max(FEWEST, len(lines) - 1) or any(b <= a for a, b in pairwise(numbers)):
        return block
    return _NUMBERS.sub(b"", block)
