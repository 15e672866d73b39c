"""Explains a saved kernel log without a host."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.linux.oomlog.event import KernelLog

PIECE = 1 << 18
LONGEST_MAGIC = 6
HINT = "save one with: dmesg > FILE, or journalctl -k -o short-monotonic > FILE"


def explain_log(file: str) -> KernelLog:
    """The events of a kernel log (also packed; "-" is stdin), read in pieces; UsageError where it cannot be read."""
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
            yield from unpacked(stream)
        return
    with Path(file).open("rb") as stream:
        yield from unpacked(stream)


def unpacked(stream: BufferedReader) -> Iterator[bytes]:
    """What the stream holds in pieces, unpacked where it begins as a packed file does: gzip, bzip2, xz, zstd."""
    head = stream.peek(LONGEST_MAGIC)[:LONGEST_MAGIC]
    source = next((opened(stream) for magic, opened in PACKED.items() if head.startswith(magic)), stream)
    while piece := source.read(PIECE):
        yield piece


def _bzip2(stream: BinaryIO) -> BinaryIO:
    import bz2

    return cast("BinaryIO", bz2.BZ2File(stream))


def _xz(stream: BinaryIO) -> BinaryIO:
    import lzma

    return cast("BinaryIO", lzma.LZMAFile(stream))


def _zstd(stream: BinaryIO) -> BinaryIO:
    try:
        zstd = import_module("compression.zstd")
    except ImportError:
        raise OSError("it is packed with zstd: unpack it first, with zstd -d FILE") from None
    return cast("BinaryIO", zstd.ZstdFile(stream))


PACKED: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda stream: cast("BinaryIO", gzip.GzipFile(fileobj=stream)),
    b"BZh": _bzip2,
    b"\xfd7zXZ\0": _xz,
    b"\x5d\0\0": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""How packed files begin."""
