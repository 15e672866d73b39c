"""`runbook history --json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct, structs

from memrunbook.core.reading.baseline import Baseline, Headroom
from memrunbook.core.reading.series import Kind, Series
from memrunbook.documents.printed import Document
from memrunbook.facts.shared.leaks import Leak


class PrintedPoint(Struct, frozen=True):
    """One point: seconds since 1970, the value, the run of its holder and the holder's limit then; hours as means."""

    at: float
    value: float
    life: str
    limit: float | None


class PrintedSeries(Struct, frozen=True, kw_only=True):
    """One figure of one holder and what is usual in it; values in the unit of its name, times in seconds since 1970.

    `per_day` is its trend, 0 where there is none beyond chance; `begun` says when the holder was seen in a new run.
    `leak` is what the forecast says of it, run by run; null where it does not leak.
    """

    kind: Kind
    name: str
    figure: str
    count: int
    since: float
    until: float
    now: float
    least: float
    median: float
    p95: float
    peak: float
    per_day: float
    limit: float | None
    begun: tuple[float, ...]
    leak: Leak | None = None
    points: tuple[PrintedPoint, ...]


class HistoryHost(Struct, frozen=True, kw_only=True):
    """One host. `room` judges what is left of its RAM when it is busy, `left_percent`: null where that is not known.

    Of several hosts, where neither a metric nor a holder is asked for, only the series of their room are listed.
    """

    host: str
    outcome: Literal["known", "unknown"]
    room: Literal["enough", "just enough", "too little", "not known yet"]
    left_percent: float | None
    total_bytes: float
    oom_kills: int
    series: tuple[PrintedSeries, ...]


class HistoryDocument(Document, frozen=True, kw_only=True):
    """runbook history --json."""

    format: Literal["memrunbook.history/1"] = "memrunbook.history/1"
    since: float
    hosts: tuple[HistoryHost, ...]


def history_host(
    host: str, room: Headroom | None, kills: int, pairs: Iterable[tuple[Series, Baseline]], *, points: bool
) -> HistoryHost:
    """What is known of a host; the points themselves where they were asked for."""
    series = tuple(_series(one, known, points=points) for one, known in pairs)
    return HistoryHost(
        host=host,
        outcome="known" if series else "unknown",
        room=room.room if room is not None else "not known yet",
        left_percent=room.percent if room is not None else None,
        total_bytes=room.total_bytes if room is not None else 0.0,
        oom_kills=kills,
        series=series,
    )


def history_document(hosts: Sequence[HistoryHost], since: float) -> HistoryDocument:
    """The hosts in their order."""
    return HistoryDocument(since=since, hosts=tuple(hosts))


def _series(series: Series, known: Baseline, *, points: bool) -> PrintedSeries:
    said = structs.asdict(known)
    count = said.pop("points")
    leak = Leak(**known.leak) if known.leak else None
    del said["course"]
    told = tuple(PrintedPoint(one.at, one.value, one.life, one.limit) for one in series.points) if points else ()
    return PrintedSeries(count=count, points=told, **{**said, "leak": leak})
