"""What stands in front of every line: quoting of mails, numbers of lines, the marks of Markdown."""

from __future__ import annotations

import re
from itertools import pairwise

_QUOTE = re.compile(rb"(?m)^(?:[>|][ \t]?)+")
_QUOTED_JSON = re.compile(rb"(?m)^(?:[>|][ \t]?)+(?=\{\s*\"|\[\s*\{)")
_TICKS = re.compile(rb"(?m)^(`{1,2})([^`\n]+)\1$")
_NUMBER = re.compile(rb"[ \t]*(\d{1,8})(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
_NUMBERS = re.compile(rb"(?m)^[ \t]*\d{1,8}(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
_ALONE = re.compile(rb"[ \t]*1\t[^\n]*\n?\Z")
SAMPLE, FEWEST, MOST = 40, 2, 0.6


def unmargined(block: bytes) -> bytes:
    """A block of whole lines without it; what quotes may be outside and inside of numbers."""
    bare = _unmarked(block)
    counted = _unnumbered(bare)
    return bare if counted is bare else _unnumbered(_unmarked(counted))


def _unmarked(block: bytes) -> bytes:
    found = any(byte in block and (block.startswith(byte) or b"\n" + byte in block) for byte in (b">", b"|"))
    fewest = min(FEWEST, max(1, block.count(b"\n")))  # one may be a broken word, but not in front of a whole document
    if found and (len(_QUOTE.findall(block)) >= fewest or _QUOTED_JSON.search(block)):
        block = _QUOTE.sub(b"", block)
    return _TICKS.sub(rb"\2", block) if b"`" in block else block


def _unnumbered(block: bytes) -> bytes:
    """Without the numbers of its lines, where most of the first ones have one, greater than that before."""
    lines = [line for line in block[: SAMPLE * 200].split(b"\n")[:SAMPLE] if line]
    numbers = [int(found[1]) for line in lines if (found := _NUMBER.match(line))]
    fewest = 1 if _ALONE.match(block) else max(FEWEST, len(lines) * MOST)
    if len(numbers) < fewest or any(b <= a for a, b in pairwise(numbers)):
        return block
    return _NUMBERS.sub(b"", block)
