"""Characters and ends of lines: UTF-16 and UTF-32 become UTF-8, a lone carriage return ends a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

HEAD = 1 << 12
"""Bytes by which a log's encoding is known."""
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "",
}
_MOST, _FEW = 0.7, 0.1


def decoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The log as UTF-8 without a mark in front; bytes that are no characters stay, or become U+FFFD."""
    head, rest = begun(pieces)
    mark = next((mark for mark in _MARKS if head.startswith(mark) and (not _MARKS[mark] or _wide(head))), b"")
    name = _MARKS[mark] if mark else _unmarked(head)
    whole: Iterable[bytes] = chain([head[len(mark) :]], rest)
    if name:
        whole = _utf8(whole, name)
    head, rest = begun(whole)
    returns = b"\r" in head and b"\n" not in head
    for piece in chain([head], rest):
        yield piece.replace(b"\r", b"\n") if returns else piece


def begun(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a log, at least `HEAD` of them where it has so many, and the pieces behind them."""
    rest, head = iter(pieces), b""
    for piece in rest:
        head += piece
        if len(head) >= HEAD:
            break
    return head, rest


def _wide(head: bytes) -> bool:
    """Whether a quarter of it is NUL, as in any text that is mostly ASCII."""
    return head[:HEAD].count(0) * 4 >= len(head[:HEAD]) - len(codecs.BOM_UTF32_LE)


def _unmarked(head: bytes) -> str:
    """UTF-16 without a mark: of what is mostly ASCII, every other byte is NUL."""
    half = len(head[:HEAD]) // 2
    first, second = head[0:HEAD:2].count(0), head[1:HEAD:2].count(0)
    if second > _MOST * half and first < _FEW * half:
        return "utf-16-le"
    return "utf-16-be" if first > _MOST * half and second < _FEW * half else ""


def _utf8(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
