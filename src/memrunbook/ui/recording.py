"""What was recorded of hosts: where it is, what it holds, what is hidden in it, and what reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from memrunbook.core.units import format_bytes
from memrunbook.ui.block import Block, Grid, Row, Span, line, row, to_type


class RecordingShown(NamedTuple):
    """One recording: its host, its name in there, its file, bytes, samples, answers and what was not told."""

    host: str
    called: str
    file: Path
    size: int
    samples: int
    answers: int
    unanswered: int


def recordings_view(found: Sequence[RecordingShown], command: str, *, masked: bool) -> list[Block]:
    """All recordings of one command, and the `command` that reads them."""
    return [Grid(tuple(_rows(found)), indent=0), *_hidden(masked=masked), _next(command)]


def names_view(names: Mapping[str, str]) -> list[Block]:
    """Which other name each name was given: for whoever reads an answer about a masked recording."""
    rows = tuple(row(Span(new, "strong"), body=Span(old)) for old, new in names.items())
    return [line("what the names in it stand for; keep this to yourself:"), Grid(rows)]


def _rows(found: Sequence[RecordingShown]) -> Iterator[Row]:
    for one in found:
        name = one.host if one.called == one.host else f"{one.host} as {one.called}"
        samples = f"{one.samples} sample{'' if one.samples == 1 else 's'}"
        lacking = f", {one.unanswered} not told" if one.unanswered else ""
        holds = f"{format_bytes(one.size)}, {samples}, {one.answers} answers{lacking}"
        yield row(Span(name, "strong"), Span(str(one.file), whole=True), body=holds)


def _hidden(*, masked: bool) -> list[Block]:
    if masked:
        return [
            line("hidden: what looks like a secret; names of hosts, services, processes, files, containers, ids"),
            line(
                "look through it before you send it: sizes, times and the kernel's version stay as they are", indent=2
            ),
        ]
    return [
        line("hidden: what looks like a secret; names are in it (--mask hides them too)"),
    ]


def _next(command: str) -> Block:
    return line("read it: ", to_type(command))
