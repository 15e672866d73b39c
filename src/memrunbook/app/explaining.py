"""Explains a saved kernel log without a host."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.linux.oomlog.event import KernelLog

PIECE = 1 << 18
GZIP = b"\x1f\x8b"
HINT = "save one with: dmesg > FILE, or journalctl -k -o short-monotonic > FILE"


def explain_log(file: str) -> KernelLog:
    """The events of a kernel log (also gzip; "-" is stdin), read in pieces; UsageError where it cannot be read."""
    from memrunbook.linux.oomlog.reader import LogReader
    from memrunbook.linux.oomlog.source import plain

    reader = LogReader()
    try:
        for piece in plain(_pieces(file)):
            reader.feed(piece)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the log cannot be read: {why}", where=file, hint=HINT) from None
    return reader.result()


def _pieces(file: str) -> Iterator[bytes]:
    if file == "-":
        with open(0, "rb", closefd=False) as stream:
            yield from _unpacked(stream)
        return
    with Path(file).open("rb") as stream:
        yield from _unpacked(stream)


def _unpacked(stream: BufferedReader) -> Iterator[bytes]:
    """What the stream holds, unpacked where it begins as a gzip file does."""
    packed = stream.peek(len(GZIP)).startswith(GZIP)
    source = gzip.GzipFile(fileobj=stream) if packed else stream
    while piece := source.read(PIECE):
        yield piece
