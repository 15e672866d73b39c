"""What stands in front of every line: quoting of mails, numbers of lines, the marks of Markdown."""

from __future__ import annotations

import re
from itertools import pairwise

_QUOTE = re.compile(rb"(?m)^(?:[>|][ \t]?)+")
_QUOTED_RECORD = re.compile(rb"(?m)^(?:[>|][ \t]?)+(?:\{\"|\[ *\d+\.\d)")
_NUMBERED_RECORD = re.compile(rb"(?m)^[ \t]*\d{1,8}\t(?=\{\")")
_TICKS = re.compile(rb"(?m)^(`{1,2})([^`\n]+)\1$")
_NUMBER = re.compile(rb"[ \t]*(\d{1,8})(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
_NUMBERS = re.compile(rb"(?m)^[ \t]*\d{1,8}(?:\t|[:|-] ?| {1,2}(?=\S)|$)")
_ALONE = re.compile(rb"[ \t]*1\t[^\n]*\n?\Z")
_TAG = re.compile(
    rb"(?m)^(\d{4}-\d\d-\d\d[T ]\d\d:[\d:.,]+(?:Z|[+-][\d:]+| [+-]\d{4})?)[ \t]+[\w./-]{1,64}:?[ \t]+\{\""
)
_OPENED = re.compile(rb"(?m)^[ \t]*(?:- )?\"(?=\[ *\d|<\d)")
_CLOSED = re.compile(rb"(?m)\",?[ \t]*$")
SAMPLE, FEWEST, MOST = 40, 2, 0.6


def unmargined(block: bytes) -> bytes:
    """A block of whole lines without it; what quotes may be outside and inside of numbers."""
    if b' {"' in block or b'\t{"' in block:  # fluentd: date, tag, record
        block = _TAG.sub(rb'{"@timestamp":"\1","', block)
    bare = _unmarked(block)
    counted = _unnumbered(bare)
    return bare if counted == bare else _unnumbered(_unmarked(counted))


def _unmarked(block: bytes) -> bytes:
    found = any(byte in block and (block.startswith(byte) or b"\n" + byte in block) for byte in (b">", b"|"))
    fewest = min(FEWEST, max(1, block.count(b"\n")))  # one may be a broken word, unless a record begins behind it
    if found and (len(_QUOTE.findall(block)) >= fewest or _QUOTED_RECORD.search(block)):
        block = _QUOTE.sub(b"", block)
    return _TICKS.sub(rb"\2", block) if b"`" in block else block


def unclosed(block: bytes) -> bytes:
    """Without the quotes at the ends of most lines: elements of lists (Ansible, YAML), values of `msg=`."""
    if b'"' not in block or (b'"\n' not in block and b'",\n' not in block):
        return block
    lines = [line for line in block[: SAMPLE * 200].split(b"\n")[:SAMPLE] if line]
    quoted = sum(_CLOSED.search(line) is not None and b'{"' not in line for line in lines)
    if quoted < max(FEWEST, len(lines) // 2):
        return block
    return _OPENED.sub(b"", _CLOSED.sub(b"", block))


def _unnumbered(block: bytes) -> bytes:
    """Without the numbers of its lines, where most of the first ones have one, greater than that before."""
    if b'\t{"' in block:
        block = _NUMBERED_RECORD.sub(b"", block)
    lines = [line for line in block[: SAMPLE * 200].split(b"\n")[:SAMPLE] if line]
    numbers = [int(found[1]) for line in lines if (found := _NUMBER.match(line))]
    fewest = 1 if _ALONE.match(block) else max(FEWEST, len(lines) * MOST)
    if len(numbers) < fewest or any(b <= a for a, b in pairwise(numbers)):
        return block
    return _NUMBERS.sub(b"", block)
