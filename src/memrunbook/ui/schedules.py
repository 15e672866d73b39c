"""Schedules: when they fire, what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memrunbook.core.schedule import Moment, Oddity
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row, to_type
from memrunbook.ui.problems import hint_line
from memrunbook.ui.words import plural

STATES: Mapping[str, Style] = {
    "active": "good", "paused": "warning", "broken": "critical", "done": "good", "failed": "critical",
    "refused": "warning", "waits": "warning", "interrupted": "critical", "blocked": "critical", "missed": "warning",
}  # fmt: skip
ODD: Mapping[Oddity, str] = {
    "": "",
    "moved": "clocks are put forward over the time that was set: it fires right after the gap",
    "first": "clocks are put back, so this time comes twice: it fires the first time",
    "again": "clocks are put back, so this time comes twice: this is the second",
}
NO_FILE = "There is no schedules.yaml. docs/how-to/schedule.md shows one; it lies beside config.yaml."


class ScheduleLine(NamedTuple):
    """One schedule: how it stands, when it is set to fire, what it does; sentences of its next and its last firing."""

    name: str
    state: str
    timing: str
    does: str
    next: str
    last: str
    last_state: str
    why: str
    hint: str


class FiringLine(NamedTuple):
    """One firing, its time as it is shown in its place; `report` is the command that shows what its run did."""

    id: str
    state: str
    when: str
    report: str
    why: str
    times: int


def list_view(lines: Sequence[ScheduleLine]) -> list[Block]:
    """Each schedule with what comes and what was."""
    if not lines:
        return [line(NO_FILE)]
    blocks: list[Block] = [line(plural(len(lines), "schedule"))]
    for one in lines:
        head = line(Span(one.name, "strong", whole=True), "  ", Span(one.state, STATES.get(one.state, "")),
                    f"  {one.timing}" if one.timing else "")  # fmt: skip
        blocks += [BLANK, head]
        blocks += [line(one.does, indent=2)] if one.does else []
        blocks += [line("why: ", Span(one.why, whole=True), indent=2)] if one.why else []
        blocks += [line("to go on:  ", to_type(one.hint), indent=2)] if one.state == "paused" else hint_line(one.hint)
        blocks += [line(f"next: {one.next}", indent=2)] if one.next else []
        last = Span(one.last_state, STATES.get(one.last_state, ""))
        blocks += [line("last: ", last, f" {one.last}", indent=2)] if one.last else []
    return blocks


def nothing_fires(*, broken: bool) -> list[Block]:
    """Where nothing fires: there is no schedule, or none that can be used."""
    return [line("No schedule fires.")] if broken else [line(NO_FILE)]


def preview_view(name: str, zone: str, moments: Sequence[Moment], local: dt.tzinfo) -> list[Block]:
    """When a schedule fires next: local time with its offset, UTC (once where that is the same), and its jitter."""
    if not moments:
        return [line(Span(name, "strong"), f" ({zone}): fires no more")]
    rows: list[Row | Note] = []
    for one in moments:
        here, utc = (dt.datetime.fromtimestamp(one.nominal, place) for place in (local, dt.UTC))
        later = one.starts - one.nominal
        there = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
        cells = (f"{utc:%a} {there}",) if zone == "UTC" else (f"{here:%a %Y-%m-%d %H:%M:%S%z}", there)
        rows.append(row(*cells, body=f"+{format_duration(later)} jitter" if later else ""))
        rows += [note(Span(ODD[one.oddity], "warning"))] if one.oddity else []
    return [line(Span(name, "strong"), f" ({zone})"), Grid(tuple(rows), under=0)]


def firings_view(lines: Sequence[FiringLine]) -> list[Block]:
    """What became of firings, the newest first."""
    if not lines:
        return [line("No firing so far.")]
    rows: list[Row | Note] = []
    for one in lines:
        many = f" and {one.times - 1} before it" if one.times > 1 else ""
        rows.append(
            row(
                Span(one.id, "strong", whole=True), Span(one.state, STATES.get(one.state, "")), body=f"{one.when}{many}"
            )
        )
        rows += [note("  ", Span(one.why, whole=True))] if one.why else []
        rows += [note("  what it did: ", to_type(one.report))] if one.report else []
    return [line(plural(len(lines), "firing")), Grid(tuple(rows), under=0)]
