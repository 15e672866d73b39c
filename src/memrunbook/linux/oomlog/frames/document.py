"""Finds JSON in a log that is fed in pieces, a record a line or over many, in arrays, in one large document.

What a collector wrote becomes lines of a log; JSON that holds no text, and what only looks like JSON, stays as it is.
Memory is bounded: a value longer than `LONGEST` is read by what stands in its first array, else as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from memrunbook.linux.oomlog.frames.record import Entry, Peel, entries, told

LONGEST = 4 << 20
KEPT = 1 << 15
"""Records that are put in the order of their times at once."""
LONGEST_LINE = 1 << 16
"""Bytes of a line that is tried as one value."""
MOST_DESCENTS = 8
"""Values that are too long and are looked into, without `KEPT` records in between: each costs a look at `LONGEST`."""
_LEAD = re.compile(rb"[ \t\x1e\[,]*(?:data:[ \t]*)?[ \t\[]*")
_OPENS = re.compile(rb"\{\s*(?:\"(?:[^\"\\\n]|\\.){0,80}\"\s*:|\})")
_PART = re.compile(rb"\"(?:[^\"\\]|\\.)*+\"|[{}\[\]]|\"", re.DOTALL)
_BETWEEN = re.compile(rb"[\s,\x1e]*")
_FILLING = re.compile(rb"[\s,\[\]{}\x1e]*|(?:\s*(?:event|id|retry|data):[^\n]*)*\s*")
_ARRAY = re.compile(rb"\[\s*(?=[{\[])")
_BROKEN = re.compile(rb"[ \t]?\r?\n[ \t]*")


def unrecorded(pieces: Iterable[bytes], peel: Peel) -> Iterator[bytes]:
    """The log in pieces of whole lines; `peel` takes off what a record's text is wrapped in itself."""
    finder = _Finder(peel)
    for piece in pieces:
        yield from finder.feed(piece)
    yield from finder.end()


class _Finder:
    """Where in a log a value has begun, and the records that wait to be put in order."""

    def __init__(self, peel: Peel) -> None:
        self._peel = peel
        self._text = b""
        self._inside = False  # the elements of an array follow
        self._scanned = self._depth = self._descents = 0
        self._kept: list[Entry] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Takes whole lines; gives what is known to be none of JSON, and records."""
        if not self._text and not self._kept and not self._inside and b"{" not in piece:
            yield piece
            return
        self._text += piece
        yield from self._read(last=False)

    def end(self) -> Iterator[bytes]:
        """What is left."""
        yield from self._read(last=True)
        yield self._told()

    def _read(self, *, last: bool) -> Iterator[bytes]:
        place = done = 0
        while (start := self._begins(place)) >= 0:
            if start:
                self._scanned = self._depth = 0  # another value than the one that was waited for
            end = self._value_ends(start)
            if end < 0 and not last and len(self._text) - start < LONGEST:
                break
            found = self._entries(start, end) if end >= 0 else []
            inner = self._descended(start) if end < 0 else 0
            place = end if end >= 0 else inner or len(self._text)
            self._scanned = self._depth = 0
            if inner or found:
                yield from self._passed(done, start)
                done = place
                self._kept += found
            if len(self._kept) >= KEPT:
                yield self._told()
        else:
            start = len(self._text)
        yield from self._passed(done, start)
        self._text = self._text[start:]

    def _descended(self, start: int) -> int:
        """Where the elements of the first array begin of a value that is too long; 0 where there is none."""
        found = _ARRAY.search(self._text, start)
        if found is None or self._descents >= MOST_DESCENTS:
            return 0
        self._descents += 1
        self._inside = True
        return found.end()

    def _begins(self, place: int) -> int:
        """Where the next value may begin: at a line's start, behind a bracket, or next in an array."""
        text = self._text
        if self._inside:
            start = _BETWEEN.match(text, place)
            at = start.end() if start else place
            if text[at : at + 1] in (b"{", b"["):
                return at
            self._inside = at >= len(text)
            if self._inside:
                return -1
        while (at := text.find(b"{", place)) >= 0:
            lead = _LEAD.match(text, max(text.rfind(b"\n", place, at) + 1, place))
            if lead and lead.end() == at and (_OPENS.match(text, at) or text[at : at + 3] == b"{\n"):
                return at
            line = text.find(b"\n", at)  # nothing else begins in this one
            if line < 0:
                return -1
            place = line + 1
        return -1

    def _value_ends(self, start: int) -> int:
        """The end of the value at `start`, below 0 where it is not there yet."""
        if not self._scanned:
            line = self._text.find(b"\n", start, start + LONGEST_LINE)
            raw = self._text[start:line].rstrip() if line >= 0 else b""
            if raw.endswith(b"}") and _decoded(raw) is not None:
                return start + len(raw)
        place = start + self._scanned
        for part in _PART.finditer(self._text, place):
            sign = part[0]
            if sign == b'"':  # of a text that is not whole yet
                self._scanned = part.start() - start
                return -1
            self._depth += (sign in (b"{", b"[")) - (sign in (b"}", b"]"))
            if self._depth == 0 and sign in (b"}", b"]"):
                return part.end()
            place = part.end()
        self._scanned = place - start
        return -1

    def _entries(self, start: int, end: int) -> list[Entry]:
        raw = self._text[start:end]
        value = _decoded(raw)
        if value is None and b"\n" in raw:
            value = _decoded(_BROKEN.sub(b" ", raw))  # lines that were broken in the midst of a text
        return [] if value is None else list(entries(value))

    def _passed(self, start: int, end: int) -> Iterator[bytes]:
        """Text that is no record; the signs between records are nothing."""
        text = self._text[start:end]
        if text and not (self._kept and _FILLING.fullmatch(text)):
            yield self._told()
            yield text

    def _told(self) -> bytes:
        kept, self._kept = self._kept, []
        self._descents = 0 if len(kept) >= KEPT else self._descents
        return told(kept, self._peel)


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
