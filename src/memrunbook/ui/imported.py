"""What was taken over into the history of hosts, and what shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memrunbook.core.errors import RunbookError
from memrunbook.ui.block import Block, Grid, Span, line, row, to_type
from memrunbook.ui.errors import error_view
from memrunbook.ui.words import plural

SHOWN = 8
NONE = "with Prometheus, see by which labels it knows the host: --match 'instance=\"web1:9100\"'"


def failures_view(failed: Sequence[tuple[str, RunbookError]]) -> Iterator[list[Block]]:
    """Why nothing was taken over of hosts; those that failed alike are told once, with their names."""
    alike: dict[tuple[str, str], list[tuple[str, RunbookError]]] = {}
    for host, error in failed:
        alike.setdefault((error.message, error.hint), []).append((host, error))
    for (first, error), *others in alike.values():
        names = [host for host, _ in others]
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        told = [line(f"the same of {plural(len(names), 'host')}: {shown}", indent=2)] if names else []
        yield [*error_view(error, first), *told]


def imported_view(found: Sequence[tuple[str, int, int, Sequence[str]]]) -> list[Block]:
    """A row for each host: its name, points, series, and the days that could not be read."""
    rows = tuple(
        row(Span(host, "strong"), body=f"{points:,} points of {series} figures" if points else "nothing was recorded")
        for host, points, series, _ in found
    )
    left_out = [line(f"left out: {why}", indent=2) for *_, skipped in found for why in skipped]
    if any(not points and not skipped for _, points, _, skipped in found):
        left_out.append(line(Span("hint: ", "hint"), NONE, indent=2))
    known = next((host for host, points, *_ in found if points), "")
    shown = [line("look at it: ", to_type(f"runbook history --host {known}"))] if known else []
    return [Grid(rows, indent=0), *left_out, *shown]
