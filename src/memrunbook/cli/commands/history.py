"""runbook history: how hosts have been, from the readings that were kept."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.commands.hosts import TARGETS
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.options import LIBRARY, STATE, STORE, OutputOptions, common
from memrunbook.cli.remarks import Remarks
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show, tell
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.reading.baseline import HostPast
    from memrunbook.documents.printed.history import HistoryDocument
    from memrunbook.ui.block import Block
    from memrunbook.ui.plot import Canvas

CSV = ("host", "kind", "name", "figure", "time", "value", "life", "limit")
WHOLE = 1e6
"""What is larger is written without a fraction: nobody needs the ninth digit of a rate."""
PIPED = 80
"""Columns of a plot that no terminal shows."""


@click.command()
@click.argument("metrics", nargs=-1, metavar="[METRIC]...")
@click.option(
    "--since", metavar="TIME", default="14d", show_default=True, help="From when on: 7d, 2026-11-22, …T09:41."
)
@click.option(
    "--unit", "holder", default="", metavar="NAME", help="Only this service, container, process or slab cache."
)
@click.option("--csv", "as_csv", is_flag=True, help="Each point as a row, for a spreadsheet.")
@common(TARGETS, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(
    metrics: tuple[str, ...],
    since: str,
    holder: str,
    targets: Targets,
    library: Library,
    state: Path,
    store: str,
    output: OutputOptions,
    *,
    as_csv: bool,
) -> int:
    """Show how hosts have been: what is usual, the peak, where it goes, and how much room is left.

    No host is reached: `diagnose`, `plan` and `run` leave the figures. METRIC (memory.used_bytes, swap, 'units.*')
    draws it over time. Without a host: every one of which something is known. Exit 9 where nothing is known.
    """
    from memrunbook.app import LookBackArguments, look_back
    from memrunbook.app.moments import moment

    if as_csv and not output.format.CONVERSES:
        raise UsageError("two formats are asked for", hint="leave one of them out")
    begin = moment(since, "--since")
    arguments = LookBackArguments(
        hosts=_named(targets),
        metrics=metrics,
        holder=holder,
        since=begin,
        points=as_csv or bool(metrics or holder),
        library=library,
        state=state,
        store=store,
    )
    found = look_back(arguments, Remarks(output.color).remark)
    known = [one for one in found if one.series]
    code = exit_codes.OK if known and len(known) == len(found) else exit_codes.NOT_JUDGED
    if as_csv:
        return tell(code, lambda: _write(known))
    wants_points = bool(metrics or holder)
    document, pages = (
        partial(_document, found, begin or 0.0, points=wants_points),
        partial(_pages, found, plots=wants_points),
    )
    return show(output, Reply(code, document, pages))


def _named(targets: Targets) -> tuple[str, ...]:
    if not targets.names_hosts:
        return ()
    from memrunbook.cli.naming import named_hosts

    return tuple(host.name for host in named_hosts(targets))


def _document(found: Sequence[HostPast], since: float, *, points: bool) -> HistoryDocument:
    from memrunbook.documents.printed.history import history_document, history_host

    hosts = [
        history_host(one.host, one.headroom, one.kills, zip(one.series, one.baselines, strict=True), points=points)
        for one in found
    ]
    return history_document(hosts, since)


def _pages(found: Sequence[HostPast], *, plots: bool) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.history import fleet_view, host_view, nothing_view, plots_view

    canvas = _canvas()
    known, unknown = [one for one in found if one.series], [one.host for one in found if not one.series]
    if not known:
        host = unknown[0] if unknown else "HOST"
        yield nothing_view(unknown, f"runbook diagnose --host {host}")
    elif plots:
        for one in known:
            yield from plots_view(one.host, list(zip(one.series, one.baselines, strict=True)), canvas)
    elif len(found) == 1:
        yield host_view(known[0], SystemClock().now(), plain=canvas.plain)
    else:
        yield fleet_view(known, unknown, plain=canvas.plain)


def _canvas() -> Canvas:
    """As wide as the terminal; ASCII where stdout can be no more."""
    from memrunbook.ui.plot import Canvas
    from memrunbook.ui.screen import Screen

    plain = "utf" not in (sys.stdout.encoding or "").lower()
    return Canvas(min(Screen("never").width or PIPED, 160), plain=plain)


def _write(found: Sequence[HostPast]) -> None:
    from memrunbook.cli.exporting import cell
    from memrunbook.core.instant import Instant

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV)
    for host in found:
        for one in host.series:
            for point in one.points:
                named = [cell(word) for word in (host.host, one.kind, one.name, one.figure)]
                limit = "" if point.limit is None else _number(point.limit)
                writer.writerow(
                    [*named, Instant(point.at, 0.0).isoformat(), _number(point.value), cell(point.life), limit]
                )


def _number(value: float) -> str:
    """Whole numbers, bytes above all, with all their digits; others with nine, never in powers of ten."""
    if value.is_integer() or abs(value) >= WHOLE:
        return f"{value:.0f}"
    return f"{value:.9f}".rstrip("0").rstrip(".")
