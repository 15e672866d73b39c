"""What is known of hosts from earlier readings: a verdict on their headroom, tables with small courses, plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from memrunbook.core.instant import Instant
from memrunbook.core.reading.baseline import LEAST_ROOM, USED, Baseline, HostPast
from memrunbook.core.reading.series import Kind, Series
from memrunbook.core.units import DAY, Unit, format_bytes, format_duration, format_value
from memrunbook.ui.block import BLANK, Block, Grid, Line, Row, Span, Style, Table, Text, line, row, text, to_type
from memrunbook.ui.plot import Canvas, plot, sparkline
from memrunbook.ui.suspects import leak_words
from memrunbook.ui.words import moment_words, plural, unit_of

FIGURES: Mapping[str, str] = {
    USED: "RAM used",
    "memory.anonymous_bytes": "anonymous",
    "memory.shared_bytes": "shared",
    "memory.dirty_bytes": "dirty",
    "memory.unaccounted_bytes": "unaccounted",
    "slab.unreclaimable_bytes": "kernel slab",
    "memory.page_tables_bytes": "page tables",
    "memory.percpu_bytes": "per CPU",
    "swap.used_bytes": "swap used",
    "swap.in_bytes_per_second": "swap in",
    "swap.out_bytes_per_second": "swap out",
    "pressure.some.avg300": "stall, some",
    "pressure.full.avg300": "stall, all",
}
"""The main figures of a host, in the order in which they are shown, as people call them."""
LARGEST: Mapping[Kind, str] = {
    "unit": "units.own_bytes",
    "container": "cgroups.own_bytes",
    "process": "processes.own_bytes",
    "kernel": "slab.cache_bytes",
}
CALLED: Mapping[Kind, str] = {
    "unit": "services",
    "container": "containers",
    "process": "processes",
    "kernel": "slab caches",
}
MISSED = 3600.0
"""Seconds by which the newest point of what is shown among the largest may be behind the host's newest."""
SHOWN = 5
PLOTTED = 4
COLUMNS = ("", "course", "now", "median", "p95", "peak", "per day")
ADVICE = "20 to 30 % should be left: add RAM, move work elsewhere, or limit who grows"


def nothing_view(hosts: Sequence[str], command: str) -> list[Block]:
    """Nothing is known yet, and how to begin."""
    whom = _some(hosts) or "any host"
    return [
        line(Span("UNKNOWN", "unknown"), f": nothing is known of {whom} yet"),
        BLANK,
        line("Each reading of a host leaves its figures. To begin: ", to_type(command)),
        line("and regularly from then on, every five minutes by cron or a timer."),
    ]


def host_view(past: HostPast, now: Instant, *, plain: bool) -> list[Block]:
    """One host: the verdict, its main figures, the largest of what runs there."""
    known = past.baselines
    first, last = min(one.since for one in known), max(one.until for one in known)
    count = plural(max(one.points for one in known), "point")
    facts = (
        row("Host", body=_size(past)),
        row("Known", body=f"{count}, {moment_words(first)} to {moment_words(last, now)}"),
        row("OOM kills", body=str(past.kills)),
    )
    main = [(name, one) for figure, name in FIGURES.items() for one in _of(known, figure)]
    blocks: list[Block] = [line(*_verdict(past)), BLANK, Grid(facts, indent=0), BLANK, _table(main, plain=plain)]
    for kind, figure in LARGEST.items():
        alike = [one for one in known if one.kind == kind and one.figure == figure and one.until > last - MISSED]
        if largest := sorted(alike, key=lambda one: one.now, reverse=True)[:SHOWN]:
            blocks += [BLANK, line(f"The largest {CALLED[kind]}, what is their own:"), _holders(largest, plain=plain)]
    blocks += _leaks(past)
    command = to_type(f"runbook history --host {past.host} {USED}")
    return [*blocks, BLANK, line("One figure over time: ", command)]


def _leaks(past: HostPast) -> list[Block]:
    """Who leaks, the one first that gains most of the RAM in a time: what `units.leaking` and its like say."""
    leaks = [one for one in past.baselines if one.leak]
    ranked = sorted(leaks, key=lambda one: one.leak["growth_bytes_per_second"] * one.now, reverse=True)[:SHOWN]
    rows = [row(Span(_called(one), "strong", whole=True), body=leak_words(one.leak)) for one in ranked]
    return [BLANK, line("These leak, by the last 7 days:"), Grid(tuple(rows))] if rows else []


def _called(one: Baseline) -> str:
    cache = {"kernel": "slab cache ", "process": "process "}.get(one.kind, "") if one.name else ""
    return f"{cache}{one.name}" if one.name else FIGURES.get(one.figure, one.figure)


def fleet_view(hosts: Sequence[HostPast], unknown: Sequence[str], *, plain: bool) -> list[Block]:
    """Several hosts: how many have too little room, and a row for each, those with the least first."""
    ranked = sorted(hosts, key=lambda one: (101.0 if one.left is None else one.left, one.host))
    rows = tuple(_fleet_row(one, used, plain=plain) for one in ranked if (used := one.used) is not None)
    table = Table(("host", "course", "RAM", "now", "p95", "peak", "left", "per day"), rows)
    blocks: list[Block] = [line(*_fleet_verdict(ranked)), BLANK, table]
    if unknown:
        blocks += [BLANK, line(f"Nothing is known of {plural(len(unknown), 'host')}: {_some(unknown)}")]
    if bare := [one.host for one in ranked if one.used is None]:
        blocks += [BLANK, line(f"How much RAM is left is not known of {plural(len(bare), 'host')}: {_some(bare)}")]
    told = "left: of RAM, in 95 of 100 readings. One of them in full: "
    return [*blocks, BLANK, line(told, to_type("runbook history --host NAME"))]


def _some(hosts: Sequence[str]) -> str:
    """The first of them; a thousand names are no sentence."""
    rest = len(hosts) - SHOWN
    return ", ".join(hosts[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _fleet_verdict(hosts: Sequence[HostPast]) -> tuple[Span | str, ...]:
    judged = [one for one in hosts if one.left is not None]
    short = [one.host for one in judged if one.left is not None and one.left < LEAST_ROOM]
    if short:
        whom = f"{len(short)} of {plural(len(hosts), 'host')}"
        words = f": {whom} with less than {LEAST_ROOM:.0f} % of RAM left when busy: {_some(short)}; {ADVICE}"
        return (Span("WARNING", "warning"), words)
    if judged:
        words = f": {plural(len(judged), 'host')} with {LEAST_ROOM:.0f} % of RAM left and more when busy"
        return (Span("OK", "good"), words)
    return (Span("UNKNOWN", "unknown"), ": no host is known for a day yet: too short for what is usual")


def plots_view(host: str, pairs: Sequence[tuple[Series, Baseline]], canvas: Canvas) -> Iterator[list[Block]]:
    """A page with a plot for each series, the largest first."""
    ranked = sorted(pairs, key=lambda pair: pair[1].now, reverse=True)
    for series, known in ranked[:PLOTTED]:
        unit = unit_of(series.figure)
        lines = plot(series.points, unit, canvas, known.begun)
        blocks: list[Block] = [line(*_title(host, known, unit)), *(Line(text(one)) for one in lines)]
        if known.begun:
            blocks.append(
                line(f"^ seen in a new run: {plural(len(known.begun), 'time')}, last {moment_words(known.begun[-1])}")
            )
        yield blocks
    if len(ranked) > PLOTTED:
        yield [line(one) for one in _unplotted([known for _, known in ranked])]


def _unplotted(ranked: Sequence[Baseline]) -> Iterator[str]:
    """What is not drawn, by the words that draw it: of one holder, and of the host, these are the figures."""
    rest, alone = ranked[PLOTTED:], len({one.name for one in ranked}) == 1
    named = [one for one in rest if one.name and not alone]
    figures = sorted({one.figure for one in rest if one not in named})
    if figures:
        yield f"{len(rest) - len(named)} more, each drawn by its name: {', '.join(figures)}"
    if named:
        yield f"{len(named)} more, named with --unit: {', '.join(sorted({one.name for one in named}))}"


def _verdict(past: HostPast) -> tuple[Span | str, ...]:
    host, room = past.host, past.headroom
    if room is None or room.percent is None:
        span = format_duration(room.seconds) if room is not None else "no time"
        return (Span("UNKNOWN", "unknown"), f": {host} is known for {span}: what is usual takes a day and 8 readings")
    words: Mapping[str, tuple[str, Style, str]] = {
        "enough": ("OK", "good", "that is enough"),
        "just enough": ("OK", "good", "just what it should be, 20 to 30 %"),
        "too little": ("WARNING", "warning", ADVICE),
    }
    word, style, told = words[room.room]
    return (Span(word, style), f": {host} has {room.percent:.0f} % of its RAM left when it is busy; {told}")


def _size(past: HostPast) -> str:
    total = past.headroom.total_bytes if past.headroom is not None else 0.0
    return f"{past.host}, {format_bytes(total)} RAM" if total else past.host


def _title(host: str, known: Baseline, unit: Unit) -> Text:
    holder = f" of {known.name}" if known.name else ""
    limit = f", limit {_value(known.limit, unit)}" if known.limit else ""
    named = {"now": known.now, "median": known.median, "p95": known.p95, "peak": known.peak}
    usual = ", ".join(f"{name} {_value(value, unit)}" for name, value in named.items())
    return text(Span(f"{known.figure}{holder} on {host}", "strong"), f": {usual}{limit}{_trend_words(known, unit)}")


def _trend_words(known: Baseline, unit: Unit) -> str:
    if known.leak:
        return f"; it {leak_words(known.leak)}"
    return f"; {_per_day(known, unit)} a day" if known.per_day else "; no trend" if _no_trend(known) == "steady" else ""


def _of(past: Sequence[Baseline], figure: str) -> list[Baseline]:
    """The host's own series of this name, unless it is of swap that is not there."""
    return [
        one
        for one in past
        if one.figure == figure and not one.name and not (figure.startswith("swap.used") and not one.limit)
    ]


def _table(rows: Sequence[tuple[str, Baseline]], *, plain: bool) -> Table:
    return Table(COLUMNS, tuple(_row(name, one, plain=plain) for name, one in rows))


def _row(name: str, one: Baseline, *, plain: bool) -> tuple[str, ...]:
    unit = unit_of(one.figure)
    values = (_value(value, unit) for value in (one.now, one.median, one.p95, one.peak))
    trend = _per_day(one, unit) or ("leaks" if one.leak else _no_trend(one))
    return (name, sparkline(one.course, plain=plain), *values, trend)


def _holders(found: Sequence[Baseline], *, plain: bool) -> Grid:
    """Names stand last: they are long, and none is cut."""
    return Grid(tuple(_holder(one, plain=plain) for one in found))


def _holder(one: Baseline, *, plain: bool) -> Row:
    now, peak = _value(one.now, Unit.BYTES), _value(one.peak, Unit.BYTES)
    rate = _per_day(one, Unit.BYTES)
    trend = "leaks" if one.leak else f"{rate} a day" if rate else _no_trend(one)
    more = [f"limit {_value(one.limit, Unit.BYTES)}"] if one.limit else []
    more += [f"{len(one.begun) + 1} runs"] if one.begun and one.kind != "kernel" else []
    name = text(Span(one.name, "strong", whole=True), *(f", {word}" for word in more))
    return row(sparkline(one.course, plain=plain), now, f"peak {peak}", trend, body=name)


def _fleet_row(past: HostPast, used: Baseline, *, plain: bool) -> tuple[str, ...]:
    left = "?" if past.left is None else f"{past.left:.0f} %"
    values = (_value(value, Unit.BYTES) for value in (used.limit or 0.0, used.now, used.p95, used.peak))
    return (
        past.host,
        sparkline(used.course, plain=plain),
        *values,
        left,
        _per_day(used, Unit.BYTES) or _no_trend(used),
    )


def _no_trend(one: Baseline) -> str:
    """What is said where none is known: of a day at least that it is steady, of less nothing."""
    return "steady" if one.until - one.since >= DAY else "?"


def _per_day(one: Baseline, unit: Unit) -> str:
    """Its trend with its sign; empty for none."""
    return f"{'+' if one.per_day > 0 else '-'}{_value(abs(one.per_day), unit)}" if one.per_day else ""


def _value(value: float | None, unit: Unit) -> str:
    return "-" if value is None else format_value(value, unit)
