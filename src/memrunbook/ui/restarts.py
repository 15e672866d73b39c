"""How often something was changed by runs, by whom, and how long each time helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memrunbook.core.instant import Instant
from memrunbook.core.plan.restarts import End, Helped
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row, to_type
from memrunbook.ui.words import moment_words, plural

ENDS: Mapping[End, str] = {
    "still": "and still does, as far as is known",
    "changed again": "until it was changed again",
    "began anew": "until it began anew without a run (a crash, a kill, or a person)",
    "memory was back": "until its memory was where it had been before",
    "did not end well": "",
}


def restarts_view(unit: str, found: Sequence[Helped], now: Instant) -> list[Block]:
    """A verdict, and each change with what ended its help."""
    if not found:
        return [line(f"No run has changed {unit} yet, as far as the store remembers.")]
    hosts = len({one.change.host for one in found})
    ended = sorted(one.seconds for one in found if one.until not in ("still", "did not end well"))
    usual = f"; each helped about {format_duration(ended[len(ended) // 2])}" if ended else ""
    title = f"{unit} was changed {plural(len(found), 'time')} by runs, on {plural(hosts, 'host')}{usual}"
    entries: list[Row | Note] = []
    for one in found:
        change = one.change
        state = Span(change.state or "unknown", "" if one.until != "did not end well" else "warning")
        who = f"{change.actor}, {moment_words(change.begun, now)}"
        entries.append(row(Span(change.host, "strong", whole=True), change.action, state, body=who))
        told = f"helped {format_duration(one.seconds)} {ENDS[one.until]}" if ENDS[one.until] else "it did not end well"
        entries.append(note("", f"{told}; run {change.run}"))
    return [
        line(title),
        BLANK,
        Grid(tuple(entries)),
        BLANK,
        line("One of the runs in full: ", to_type("runbook report RUN")),
    ]
