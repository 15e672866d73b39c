"""A table of a web page, saved as CSV: a line of names, and a record a row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from memrunbook.linux.oomlog.frames.record import MESSAGES, PROGRAM_FIELDS, Entry, Peel, entries, told

KEPT = 1 << 14
"""Rows that are put in the order of their times at once."""
_NAMES = {name.casefold().strip("@_") for name in MESSAGES}
_FEWEST = 2


def is_sheet(head: bytes) -> bool:
    """Whether a log begins with the names of columns, the text of records among them."""
    first, ended, _ = head.lstrip().partition(b"\n")
    return bool(ended) and b"," in first and bool(_text_column(_names(first.decode("utf-8", "replace"))))


def records(pieces: Iterable[bytes], peel: Peel) -> Iterator[bytes]:
    """The lines of all rows; what is no table any more ends it."""
    rows = csv.reader(_lines(pieces))
    kept: list[Entry] = []
    try:
        names = _names(",".join(next(rows, [])))
        named = _text_column(names)
        for row in rows:
            fields = dict(zip(names, row, strict=False))
            fields["message"] = fields.pop(named, "")
            kept += entries(fields)
            if len(kept) >= KEPT:
                yield told(kept, peel)
                kept = []
    except csv.Error:  # a cell without an end, or longer than 128 KiB
        pass
    yield told(kept, peel)


def _names(line: str) -> list[str]:
    """The names of columns without the path to them, as collectors have it: jsonPayload.MESSAGE."""
    names = [name.strip().rpartition(".")[2] for name in next(csv.reader([line]), [])]
    known = {name.casefold(): name for name in PROGRAM_FIELDS}
    return [known.get(name.casefold(), name) for name in names]


def _text_column(names: list[str]) -> str:
    if len(names) < _FEWEST:
        return ""
    return next((name for name in names if name.casefold().strip("@_") in _NAMES), "")


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.decode("utf-8", "replace").replace("\0", "").splitlines(keepends=True)
