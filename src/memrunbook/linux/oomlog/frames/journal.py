"""Records of `journalctl -o export`: a field a line, a blank line behind each record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from memrunbook.linux.oomlog.frames.record import Entry, lines

BEGINS = (b"__CURSOR=", b"__REALTIME_TIMESTAMP=", b"__MONOTONIC_TIMESTAMP=")
LONGEST = 1 << 20
"""Bytes of a record; what is longer is none."""
_FIELD = re.compile(
    rb"(?m)^(MESSAGE|SYSLOG_IDENTIFIER|_TRANSPORT|_SOURCE_MONOTONIC_TIMESTAMP|__MONOTONIC_TIMESTAMP"
    rb"|__REALTIME_TIMESTAMP)(?:=(.*)|\n(?s:(.{8})))"
)


def records(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of all records that somebody wrote whose lines are read."""
    waiting = b""
    for piece in pieces:
        text = waiting + piece
        end = text.rfind(b"\n\n") + 2
        if end < 2:  # noqa: PLR2004 - the blank line
            end = len(text) if len(text) > LONGEST else 0
        waiting = text[end:]
        yield _lines(text[:end])
    yield _lines(waiting)


def _lines(text: bytes) -> bytes:
    return "".join(_record(record) for record in text.split(b"\n\n")).encode("utf-8", "surrogateescape")


def _record(record: bytes) -> str:
    """A record's lines; a field with newlines has its length in front."""
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(record):
        start = found.end()
        size = int.from_bytes(found[3], "little") if found[3] else 0
        value = record[start : start + size] if found[3] else found[2]
        fields.setdefault(found[1].decode(), value.decode("utf-8", "surrogateescape"))
    clocks = [fields[name] for name in fields if name.endswith("MONOTONIC_TIMESTAMP")]
    if "MESSAGE" not in fields or not all(clock.isdecimal() for clock in clocks):
        return ""
    return lines(Entry(None, {"__CURSOR": "", **fields}, fields["MESSAGE"]))
