"""The runs that were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from memrunbook.core.instant import Instant
from memrunbook.core.units import format_duration
from memrunbook.ui.block import Block, Grid, Note, Row, Span, Style, line, note, row, to_type
from memrunbook.ui.report import OUTCOMES
from memrunbook.ui.words import moment_words, plural

STYLES: Mapping[str, Style] = {outcome: style for outcome, (_, style, _) in OUTCOMES.items()}

TO_GO_ON = frozenset({"interrupted", "unreachable"})


THERE = ", on its own control node"


class RunLine(NamedTuple):
    """One run; `utc` in seconds since 1970, `outcome` an outcome's word, `open` a sentence for each step left open.

    `back` is what it changed for a while and the host has not taken back yet: what, and when (seconds since 1970).
    `node` is the control node that has it, where that is another one.
    """

    run_id: str
    utc: float
    runbook: str
    hosts: tuple[str, ...]
    outcome: str
    who: str
    open: tuple[str, ...] = ()
    back: tuple[tuple[str, float], ...] = ()
    node: str = ""


def runs_view(
    runs: Sequence[RunLine], now: Instant | None = None, complete: Callable[[str], str] = lambda command: command
) -> list[Block]:
    """One line for each run, and how to go on with those that were interrupted; each command made `complete`."""
    if not runs:
        return [line("No runs yet.")]
    rows: list[Row | Note] = []
    for run in runs:
        shown, where = Span(run.outcome, STYLES.get(run.outcome, "unknown")), f" on {run.node}" if run.node else ""
        rows.append(row(Span(run.run_id, "strong", whole=True), shown, run.runbook, ", ".join(run.hosts),
                        body=f"{run.who}{where}, {moment_words(run.utc, now)}"))  # fmt: skip
        rows += [note(Span("open: ", "unknown"), Span(told, whole=True)) for told in run.open]
        rows += [note("for a while: ", Span(_back(what, until, now), whole=True)) for what, until in run.back]
        if run.node:
            continue  # what can be done about it can be done there
        if run.outcome == "interrupted":
            rows.append(note("what it had done: ", to_type(complete(f"runbook report {run.run_id}"))))
        if run.outcome in TO_GO_ON or run.open:
            rows.append(note("to go on: ", to_type(complete(f"runbook resume {run.run_id}"))))
    return [
        line(plural(len(runs), "run")),
        Grid(tuple(rows)),
        line(f"One of them in full: runbook report RUN{THERE if any(run.node for run in runs) else ''}"),
    ]


def unknown_view(store: str, problem: str, *, cut: bool = False) -> list[Block]:
    """What other control nodes did that is not known, with the `problem`, or not listed: older runs that were `cut`."""
    if problem:
        said = Span(f"{store}: {problem}", whole=True)
        return [line(Span("UNKNOWN", "unknown"), ": the runs of other control nodes: ", said)]
    return [line("Older runs of other control nodes are not listed.")] if cut else []


def _back(what: str, until: float, now: Instant | None) -> str:
    words = what.partition(", back after ")[0]
    return f"{words}; back {f'in {format_duration(until - now.utc)}' if now else f'at {moment_words(until)}'}"
