"""Which hosts are known, from where, and how each stood when it was worked on last."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

from memrunbook.app.going_on import completed
from memrunbook.app.looking_back import LookBackArguments, look_back
from memrunbook.app.reporting import RunsResult, list_runs
from memrunbook.app.shown_report import told_of
from memrunbook.app.shown_runs import run_lines
from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.reading.baseline import LEAST_ROOM, HostPast
from memrunbook.core.run.report import Reported
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.runs import Run
from memrunbook.ui.audit import doubt_view
from memrunbook.ui.block import Block, Grid, Line, Row, Span, Style, Text, line, row, text, to_type
from memrunbook.ui.errors import error_view
from memrunbook.ui.history import host_view, nothing_view
from memrunbook.ui.hosts import about
from memrunbook.ui.html.element import Element
from memrunbook.ui.journal import runs_view
from memrunbook.ui.report import OUTCOMES, report_view
from memrunbook.ui.words import moment_words, plural
from memrunbook.web.charts import history_charts
from memrunbook.web.drawn import DrawnPage, drawn, host_key, linked, main_of, places, section
from memrunbook.web.served import ServedState

MOST = 1000
"""Lines on a page."""


@dataclass(frozen=True)
class LastRun:
    """A run on one host: how it ended there, or "running" or "interrupted"; `utc` is when it was begun."""

    run_id: str
    runbook: str
    outcome: str
    utc: float


@dataclass(frozen=True)
class KnownHost:
    """A host: whether the inventory lists it, its last run, what is known of its past."""

    name: str
    listed: bool
    last: LastRun | None = None
    past: HostPast | None = None


@dataclass(frozen=True)
class ShownHosts:
    """All of them by name; `problems` say in a sentence what could not be asked."""

    hosts: Mapping[str, KnownHost]
    problems: Sequence[str] = ()


def known_hosts(served: ServedState, runs: Iterable[Run]) -> ShownHosts:
    """Hosts of the inventory, of the history, and of runs."""
    problems: list[str] = []
    past: Sequence[HostPast] = ()
    listed = served.inventory.hosts
    try:
        past = look_back(
            LookBackArguments(points=False, library=served.library, state=served.state, store=served.store)
        )
    except RunbookError as error:
        problems.append(f"the history cannot be read: {error.message}")
    last = last_runs(runs)
    pasts = {one.host: one for one in past}
    names = sorted({*listed, *pasts, *last})
    found = {name: KnownHost(name, name in listed, last.get(name), pasts.get(name)) for name in names}
    return ShownHosts(found, problems)


def last_runs(runs: Iterable[Run]) -> dict[str, LastRun]:
    """By host the newest run; they come the newest first."""
    found: dict[str, LastRun] = {}
    for run in runs:
        outcomes = {one.host: str(one.outcome) for one in run.ended.hosts} if run.ended else {}
        invoked = run.invoked
        for host in run.hosts:
            outcome = outcomes.get(host, "interrupted") if run.state == "ended" else run.state
            begun = dt.datetime.fromisoformat(invoked.time).timestamp() if invoked else 0.0
            found.setdefault(host, LastRun(run.run_id, invoked.runbook if invoked else "?", outcome, begun))
    return found


def hosts_table(known: ShownHosts, now: Instant) -> list[Block]:
    """A line a host, those that need somebody first."""
    if not known.hosts:
        told = "No host is known yet: none is in an inventory, none was read. To begin: "
        return [line(told, to_type("runbook diagnose --host NAME"))]
    ranked = sorted(known.hosts.values(), key=lambda one: (_rank(one), one.name))
    blocks: list[Block] = [line(_counted(ranked)), Grid(tuple(_row(one, now) for one in ranked[:MOST]))]
    if len(ranked) > MOST:
        blocks.append(line(f"{len(ranked) - MOST:,} more are not shown: runbook hosts, runbook history"))
    return blocks


def _counted(hosts: Sequence[KnownHost]) -> str:
    bad = sum(_rank(one) == 0 for one in hosts)
    if not bad:
        return plural(len(hosts), "host")
    return f"{plural(len(hosts), 'host')}; on {bad} of them the last run did not go well"


def _rank(one: KnownHost) -> int:
    style = _word(one)[1]
    return {"critical": 0, "unknown": 0, "strong": 1, "warning": 2}.get(style, 3 if one.last is not None else 4)


def _word(one: KnownHost) -> tuple[str, Style]:
    if one.last is None:
        return "no run yet", "quiet"
    word, style, _ = OUTCOMES.get(cast("Reported", one.last.outcome), (one.last.outcome.upper(), "unknown", ""))
    return word, style


def _row(one: KnownHost, now: Instant) -> Row:
    word, style = _word(one)
    left = one.past.left if one.past is not None else None
    room: Style = "warning" if left is not None and left < LEAST_ROOM else ""
    told = "" if one.last is None else f"{one.last.runbook}, {moment_words(one.last.utc, now)}, "
    run: Text = (
        text(told, Span(one.last.run_id, "strong", whole=True)) if one.last is not None else text("not worked on yet")
    )
    said = f"{left:.0f} % of RAM left when busy" if left is not None else "RAM left when busy: not known yet"
    return row(Span(one.name, "strong", whole=True), Span(word, style), Span(said, room), body=run)


def hosts_page(served: ServedState) -> DrawnPage:
    """The hosts alone."""
    found = list_runs(served.state)
    known = known_hosts(served, found.runs)
    said: list[Block] = [line(Span("UNKNOWN", "unknown"), f": {problem}") for problem in known.problems]
    main = main_of("Hosts", *drawn([*said, *hosts_table(known, SystemClock().now())]))
    return DrawnPage("Hosts", linked(main, places([run.run_id for run in found.runs], known.hosts)))


def host_page(served: ServedState, key: str) -> DrawnPage | None:
    """One host: how it stands, its past as tables and charts, its runs; None where no host has this key."""
    found = list_runs(served.state)
    names = {*served.inventory.hosts, *(host for run in found.runs for host in run.hosts), *_past_names(served)}
    name = next((one for one in names if host_key(one) == key), None)
    if name is None:
        return None
    now, last = SystemClock().now(), last_runs(found.runs).get(name)
    main = main_of(
        name,
        *drawn(_stands(KnownHost(name, name in served.inventory.hosts, last), served, now)),
        section("The last run", _last(served, last, name), "last") if last else None,
        _past(served, name, now),
        section("Runs", _runs_of(served, found, name, now), "runs"),
    )
    return DrawnPage(name, linked(main, places([run.run_id for run in found.runs])))


def _past_names(served: ServedState) -> Sequence[str]:
    arguments = LookBackArguments(points=False, library=served.library, state=served.state, store=served.store)
    with suppress(RunbookError):
        return [one.host for one in look_back(arguments)]
    return ()


def _stands(one: KnownHost, served: ServedState, now: Instant) -> list[Block]:
    word, style = _word(one)
    when = f" by the run of {moment_words(one.last.utc, now)}" if one.last is not None else ""
    host = served.inventory.hosts.get(one.name)
    blocks: list[Block] = [line(Span(word, style), when)]
    blocks += [line(about(host))] if host is not None and about(host) else []
    return [*blocks, line("A fresh look at it: ", to_type(_fresh(served, one.name)))]


def _fresh(served: ServedState, name: str) -> str:
    """What reads a host anew, complete."""
    return completed(f"runbook diagnose --host {shlex.quote(name)}", served.words)


def _last(served: ServedState, last: LastRun, name: str) -> list[Block]:
    """The verdict of the last run, as its report begins."""
    try:
        told = told_of(served.state, last.run_id)
    except RunbookError as error:
        return error_view(error)
    reports = [one for one in told.result.reports if one.host == name]
    page = [block for one in reports for block in report_view(one, last.run_id, alone=True)]
    head = takewhile(lambda block: not (isinstance(block, Line) and block.title), page)
    return [
        *doubt_view(told.doubts),
        *head,
        line("Its steps, and the reason of each: ", Span(last.run_id, "strong", whole=True)),
    ]


def _past(served: ServedState, name: str, now: Instant) -> Element:
    arguments = LookBackArguments(hosts=(name,), library=served.library, state=served.state, store=served.store)
    try:
        [past] = look_back(arguments)
    except RunbookError as error:
        return section("The last 14 days", error_view(error), "past")
    if not past.series:
        return section("The last 14 days", nothing_view([name], _fresh(served, name)), "past")
    found = section("The last 14 days", host_view(past, now, plain=False), "past")
    for one in drawn(history_charts(past), 3):
        found.append(one)
    return found


def _runs_of(served: ServedState, found: RunsResult, name: str, now: Instant) -> list[Block]:
    lines = run_lines(found, now, served.severest)
    own = [one for one in lines if name in one.hosts]
    if not own:
        return [line("No run was made on it yet.")]
    return runs_view(own[:MOST], now, lambda command: completed(command, served.words))[:-1]
