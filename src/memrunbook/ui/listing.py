"""The runbooks that there are; loads nothing that `runbook list` does not need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from memrunbook.ui.block import Block, Grid, Note, Row, Span, line, note, row


class Listed(NamedTuple):
    """A runbook of the search path; `shadowed` names the origin that wins, `problem` says why it cannot be read."""

    name: str
    title: str
    origin: str
    shadowed: str = ""
    problem: str = ""


def list_view(runbooks: Iterable[Listed]) -> list[Block]:
    """One line for each runbook, with its origin."""
    rows: list[Row | Note] = []
    for entry in runbooks:
        rows.append(row(entry.name, entry.title, body=entry.origin))
        if entry.shadowed:
            rows.append(note("", f"not used: {entry.shadowed} has one of the same name"))
        if entry.problem:
            rows.append(note("cannot be read: ", Span(entry.problem, whole=True)))
    count = sum(isinstance(entry, Row) for entry in rows)
    return [
        line(f"{count} runbook{'s' * (count != 1)}"),
        Grid(tuple(rows)),
        line("One of them explained: runbook show NAME"),
    ]
