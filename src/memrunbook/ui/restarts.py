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
    "not known": "",
}
UNDONE: Mapping[str, str] = {"undone": "it was not proven and was taken back", "interrupted": "a person ended the run"}
NOT_SEEN = "how it ended is not known"


def restarts_view(unit: str, found: Sequence[Helped], now: Instant) -> list[Block]:
    """A verdict, and each change with what ended its help."""
    if not found:
        return [line(f"No run has changed {unit} yet, as far as the store remembers.")]
    hosts = len({one.change.machine or one.change.host for one in found})
    ended = sorted(one.seconds for one in found if ENDS[one.until] and one.until != "still")
    usual = f"; each helped about {format_duration(ended[len(ended) // 2])}" if ended else ""
    title = f"{unit} was changed {plural(len(found), 'time')} by runs, on {plural(hosts, 'host')}{usual}"
    entries: list[Row | Note] = []
    for one in found:
        change = one.change
        state = Span(change.state or "unknown", "" if ENDS[one.until] else "warning")
        who = f"{change.actor}, {moment_words(change.begun, now)}"
        entries.append(row(Span(change.host, "strong", whole=True), change.action, state, body=who))
        entries.append(note("", f"{_told(one)}; run {change.run}"))
    return [
        line(title),
        BLANK,
        Grid(tuple(entries)),
        BLANK,
        line("One of the runs in full: ", to_type("runbook report RUN")),
    ]


def _told(one: Helped) -> str:
    if ENDS[one.until]:
        return f"helped {format_duration(one.seconds)} {ENDS[one.until]}"
    return NOT_SEEN if one.until == "not known" else UNDONE.get(one.change.state, "it did not end well")
