"""What receivers were told, and what waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memrunbook.core.run.queued import Queued, QueueState
from memrunbook.core.units import format_duration
from memrunbook.ui.block import Block, Grid, Note, Row, Span, Style, line, note, row, to_type
from memrunbook.ui.words import moment_words, plural

STYLES: Mapping[QueueState, Style] = {"waiting": "warning", "sent": "good", "given-up": "critical"}
WORDS: Mapping[QueueState, str] = {"waiting": "waiting", "sent": "sent", "given-up": "given up"}


def notifications_view(found: Sequence[Queued], now: float, send: str = "runbook notify send --all") -> list[Block]:
    """A line for each message to each receiver; under it why it is not there yet. `send` sends what waits."""
    if not found:
        return [line("Nobody was told anything yet.")]
    states = [f"{count} {WORDS[state]}" for state in WORDS if (count := sum(one.state == state for one in found))]
    rows: list[Row | Note] = []
    for one in found:
        seen = f" (seen {one.seen} times)" if one.seen > 1 else ""
        told = f"{moment_words(one.queued)}: {one.notification.verdict}{seen}"
        rows.append(row(Span(WORDS[one.state], STYLES[one.state]), Span(one.receiver, "strong"),
                        one.notification.occasion, body=told))  # fmt: skip
        if one.problem:
            rows.append(note("not taken: ", Span(one.problem, whole=True)))
        if one.state == "waiting" and one.due > now:
            rows.append(note("next try: ", f"in {format_duration(one.due - now)}, with the next run or firing"))
    title = line(f"{plural(len(found), 'message')}: {', '.join(states)}")
    waiting = any(one.state == "waiting" for one in found)
    to_send = [line("To send what waits now:  ", to_type(send))] if waiting else []
    return [title, Grid(tuple(rows)), *to_send]
