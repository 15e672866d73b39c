"""Makes a saved log plain: colours, carriage returns and NUL bytes go, records of `journalctl -o json` become lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from memrunbook.core.oomlog.frame import MICROSECONDS, PROGRAMS

_COLOUR = re.compile(rb"\x1b\[[0-9;]*[mK]")
LONGEST = 1 << 20
"""Bytes of a record; what is longer is none."""


class _Record(msgspec.Struct):
    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)
    program: str = msgspec.field(name="SYSLOG_IDENTIFIER", default="")
    source: str = msgspec.field(name="_SOURCE_MONOTONIC_TIMESTAMP", default="")
    monotonic: str = msgspec.field(name="__MONOTONIC_TIMESTAMP", default="")


_DECODER = msgspec.json.Decoder(_Record)


def plain(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The log in pieces of whole lines, ready for the reader."""
    waiting, json = b"", None
    for piece in pieces:
        text = waiting + piece
        end = text.rfind(b"\n") + 1 or (len(text) if len(text) > LONGEST else 0)
        waiting, text = text[end:], text[:end]
        if json is None and text.strip():
            json = text.lstrip().startswith(b"{")
        yield _records(text) if json else _cleaned(text)
    yield _records(waiting) if json or waiting.startswith(b'{"') else _cleaned(waiting)


def _cleaned(text: bytes) -> bytes:
    if b"\x1b[" in text:
        text = _COLOUR.sub(b"", text)
    for byte in (b"\r", b"\0"):
        if byte in text:
            text = text.replace(byte, b"")
    return text


def _records(text: bytes) -> bytes:
    return b"".join(_record(line) for line in text.splitlines() if line.startswith(b"{"))


def _record(line: bytes) -> bytes:
    """A record as a line; what is no such record is left out. A message with several lines stays the program's."""
    try:
        record = _DECODER.decode(line)
        message = record.message
        content = message.encode() if isinstance(message, str) else bytes(message or [])
        stamp = int(record.source or record.monotonic or 0) / MICROSECONDS
    except (msgspec.DecodeError, ValueError):
        return b""
    if record.program not in PROGRAMS:
        return b""
    return f"[{stamp:12.6f}] host {record.program}: ".encode() + content.replace(b"\n", b"\n ") + b"\n"
