"""Records of `journalctl -o verbose`: a line with the date, and below it a field a line, with blanks in front."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from memrunbook.linux.oomlog.frames.record import Entry, lines

LONGEST = 1 << 20
"""Bytes of a record; what is longer is cut."""
_BEGINS = re.compile(rb"(?m)^(?=[^\s\[-][^\n\[]{8,60} \[s=[0-9a-f]{1,32};i=)")
_HEAD = re.compile(rb"(?:-- [^\n]*\n)*[^\s\[-][^\n\[]{8,60} \[s=[0-9a-f]{1,32};i=")
_DATE = re.compile(r"(?:[^\W\d_]{2,4} )?([^\n\[]{8,56}) \[")
_FIELD = re.compile(r"(?m)^ {4}([A-Z_][A-Z0-9_]{0,63})=([^\n]*(?:\n {5,}[^\n]*)*)")


def is_verbose(head: bytes) -> bool:
    """Whether a log begins with such a record."""
    return _HEAD.match(head) is not None


def records(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of all records that somebody wrote whose lines are read."""
    waiting = b""
    for piece in pieces:
        *whole, waiting = _BEGINS.split(waiting + piece)
        if len(waiting) > LONGEST:
            whole, waiting = [*whole, waiting], b""
        yield b"".join(map(_record, whole))
    yield _record(waiting)


def _record(record: bytes) -> bytes:
    text = record.decode("utf-8", "backslashreplace")
    fields = {found[1]: found[2] for found in _FIELD.finditer(text)}
    date = _DATE.match(text)
    if date is None or "MESSAGE" not in fields:
        return b""
    said = re.sub(r"\n {5,}", "\n", fields["MESSAGE"])
    return lines(Entry(None, {"__CURSOR": "", **fields, "timestamp": date[1]}, said)).encode("utf-8", "replace")
