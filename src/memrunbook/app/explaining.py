"""Explains a saved kernel log without a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.linux.oomlog.event import KernelLog

PIECE = 1 << 18
LONGEST_MAGIC = 6
HINT = "save one with: dmesg > FILE, or journalctl -k -o short-monotonic > FILE"


class Readable(Protocol):
    """A file that is open for reading."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""


def explain_log(file: str) -> KernelLog:
    """The events of a kernel log (also packed; "-" is stdin), read in pieces; UsageError where it cannot be read."""
    try:
        return _explained(_pieces(file))
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the log cannot be read: {why}", where=file, hint=HINT) from None


def explain_text(text: str) -> KernelLog:
    """The events of a kernel log that somebody handed over as text."""
    content = text.encode("utf-8", "backslashreplace")
    return _explained(content[begin : begin + PIECE] for begin in range(0, len(content), PIECE))


def _explained(pieces: Iterable[bytes]) -> KernelLog:
    from memrunbook.linux.oomlog.reader import LogReader
    from memrunbook.linux.oomlog.source import plain

    reader = LogReader()
    for piece in plain(pieces):
        reader.feed(piece)
    return reader.result()


def _pieces(file: str) -> Iterator[bytes]:
    if file == "-":
        with open(0, "rb", closefd=False) as stream:
            yield from unpacked(stream)
        return
    with Path(file).open("rb") as stream:
        yield from unpacked(stream)


def unpacked(stream: BufferedReader) -> Iterator[bytes]:
    """What the stream holds in pieces, unpacked where it begins as a packed file does: gzip, bzip2, xz, zstd."""
    head = stream.peek(LONGEST_MAGIC)[:LONGEST_MAGIC]
    return next((unpack(stream) for magic, unpack in PACKED.items() if head.startswith(magic)), _read(stream))


def _read(source: Readable) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece


def _gunzip(stream: BufferedReader) -> Iterator[bytes]:
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=stream) as source:
            yield from _read(source)
    except zlib.error as error:
        raise OSError(str(error)) from None


def _bunzip2(stream: BufferedReader) -> Iterator[bytes]:
    import bz2

    with bz2.BZ2File(stream) as source:
        yield from _read(source)


def _unxz(stream: BufferedReader) -> Iterator[bytes]:
    import lzma

    try:
        with lzma.LZMAFile(stream) as source:
            yield from _read(source)
    except lzma.LZMAError as error:
        raise OSError(str(error)) from None


def _unzstd(stream: BufferedReader) -> Iterator[bytes]:
    try:
        zstd = import_module("compression.zstd")  # Python 3.14 and later
    except ImportError:
        raise OSError("it is packed with zstd; unpack it first: zstd -d FILE") from None
    try:
        yield from _read(zstd.ZstdFile(stream))
    except zstd.ZstdError as error:
        raise OSError(str(error)) from None


PACKED: dict[bytes, Callable[[BufferedReader], Iterator[bytes]]] = {
    b"\x1f\x8b": _gunzip,
    b"BZh": _bunzip2,
    b"\xfd7zXZ\0": _unxz,
    b"\x5d\0\0": _unxz,
    b"\x28\xb5\x2f\xfd": _unzstd,
}
"""How packed files begin."""
