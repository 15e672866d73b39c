"""Makes a saved log plain: colours, markup and NUL bytes go, records of the journal and of containers become lines."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from memrunbook.linux.oomlog.frame import MICROSECONDS, PROGRAMS

_COLOUR = re.compile(rb"\x1b\[[0-9;]*[mK]")
_MARKUP = re.compile(rb"(?m)^&(?:lt;\d|gt;)|\[&lt;[0-9a-f]{8}")
_ESCAPED = re.compile(rb"&(?:lt|gt|amp|quot|#39);")
_FIELD = re.compile(
    rb"(?m)^(MESSAGE|SYSLOG_IDENTIFIER|_SOURCE_MONOTONIC_TIMESTAMP|__MONOTONIC_TIMESTAMP)(?:=(.*)|\n(?s:(.{8})))"
)
NOTHING = (b"\r", b"\0")
LONGEST = 1 << 20
"""Bytes of a record; what is longer is none."""


class _Record(msgspec.Struct):
    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)
    program: str = msgspec.field(name="SYSLOG_IDENTIFIER", default="")
    source: str = msgspec.field(name="_SOURCE_MONOTONIC_TIMESTAMP", default="")
    monotonic: str = msgspec.field(name="__MONOTONIC_TIMESTAMP", default="")
    log: str | None = None


class _Kind(NamedTuple):
    """How a log of some kind begins, what ends a record of it, and what makes its records lines."""

    begins: bytes
    ends: bytes
    read: Callable[[bytes], bytes]


_DECODER = msgspec.json.Decoder(_Record)


def plain(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The log in pieces of whole lines, ready for the reader."""
    waiting, kind = b"", None
    for piece in pieces:
        text = waiting + piece
        if kind is None and len(text.lstrip()) > LONGEST_BEGINNING:
            kind = _kind(text)
        ends = kind.ends if kind else b"\n"
        end = text.rfind(ends) + len(ends) if kind and ends in text else 0
        end = end or (len(text) if len(text) > LONGEST else 0)
        waiting = text[end:]
        if kind and end:
            yield kind.read(text[:end])
    yield (kind or _kind(waiting)).read(waiting)


def _kind(text: bytes) -> _Kind:
    return next(kind for kind in KINDS if text.lstrip().startswith(kind.begins))


def _cleaned(text: bytes) -> bytes:
    if b"\x1b[" in text:
        text = _COLOUR.sub(b"", text)
    if b"&" in text and b"&gt;" in text and _MARKUP.search(text):
        text = _ESCAPED.sub(lambda found: html.unescape(found[0].decode()).encode(), text)
    if b"\xa0" in text:
        text = text.replace(b"\xc2\xa0", b" ")
    for byte in NOTHING:
        if byte in text:
            text = text.replace(byte, b"")
    return text


def _records(text: bytes) -> bytes:
    return b"".join(_record(line) for line in text.splitlines() if line.startswith(b"{"))


def _record(line: bytes) -> bytes:
    """A record of `journalctl -o json`, or of a container's log, as a line; what is no such record is left out."""
    try:
        record = _DECODER.decode(line)
        message = record.message
        content = message.encode() if isinstance(message, str) else bytes(message or [])
    except (msgspec.DecodeError, ValueError):
        return b""
    if record.log is not None:
        return _cleaned(record.log.encode().rstrip(b"\n") + b"\n")
    return _line(content, record.program, record.source or record.monotonic)


def _exported(text: bytes) -> bytes:
    """Records of `journalctl -o export`; a field with newlines has its length in front."""
    return b"".join(_export(record) for record in text.split(b"\n\n"))


def _export(record: bytes) -> bytes:
    fields: dict[bytes, bytes] = {}
    for found in _FIELD.finditer(record):
        start = found.end()
        size = int.from_bytes(found[3], "little") if found[3] else 0
        fields[found[1]] = record[start : start + size] if found[3] else found[2]
    stamp = fields.get(b"_SOURCE_MONOTONIC_TIMESTAMP") or fields.get(b"__MONOTONIC_TIMESTAMP") or b""
    program = fields.get(b"SYSLOG_IDENTIFIER", b"").decode("utf-8", "replace")
    return _line(fields.get(b"MESSAGE", b""), program, stamp.decode("utf-8", "replace"))


def _line(content: bytes, program: str, stamp: str) -> bytes:
    """A record as a line; a message with several lines stays the program's."""
    if program not in PROGRAMS or not (stamp or "0").isdecimal():
        return b""
    seconds = int(stamp or 0) / MICROSECONDS
    return f"[{seconds:12.6f}] host {program}: ".encode() + content.replace(b"\n", b"\n ") + b"\n"


LONGEST_BEGINNING = 16
KINDS = (
    _Kind(b"__CURSOR=", b"\n\n", _exported),
    _Kind(b'{"', b"\n", _records),
    _Kind(b'{ "', b"\n", _records),
    _Kind(b"", b"\n", _cleaned),
)
