"""Reads the lines of a journal that are what they should be, whatever became of the rest of the file."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from memrunbook.state import disk

T = TypeVar("T")


def read_lines(path: Path, kind: type[T], having: bytes = b"") -> Iterator[T]:
    """Each line that decodes as `kind`, in order; none without a file, JournalError where it may not be read.

    `having` stands in every line that is wanted: others are not decoded, which costs a hundred times as much.
    """
    yield from decoded(disk.contents(path), kind, having)


def decoded(content: bytes, kind: type[T], having: bytes = b"") -> Iterator[T]:
    """The same of what was read of a file."""
    decoder: msgspec.json.Decoder[T] = _decoder(cast("Hashable", kind))
    for line in content.split(b"\n"):
        if having not in line:
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """Made once: of a thousand small files it would cost more than they do."""
    return msgspec.json.Decoder(cast("Any", kind))
