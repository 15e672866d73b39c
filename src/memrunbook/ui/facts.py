"""Every metric of a host with value, unit and meaning, in groups named after the tools that people know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import BLANK, Block, Grid, Row, Span, Table, Text, line, row, text
from memrunbook.ui.header import facts_row, host_row
from memrunbook.ui.words import unit_of, value_words

KNOWN_AS: Mapping[str, str] = {
    "host": "uname, hostnamectl",
    "memory": "free, /proc/meminfo",
    "slab": "slabtop",
    "hugepages": "/proc/meminfo HugePages",
    "pressure": "PSI, /proc/pressure",
    "swap": "swapon, vmstat si so, sar -W",
    "vmstat": "vmstat, sar -B",
    "buddy": "/proc/buddyinfo",
    "sysctl": "sysctl vm",
    "processes": "top, pidstat -r, pmap",
    "units": "systemctl, systemd-cgtop",
    "cgroups": "systemd-cgtop, memory.events",
    "oom": "dmesg, journalctl -k",
    "zram": "zramctl",
}


def facts_view(snapshot: Snapshot, metrics: Mapping[str, Metric], now: Instant | None = None) -> list[Block]:
    """These metrics, by their full name, as they are on one host."""
    groups: dict[str, list[Metric]] = {}
    for metric in metrics.values():
        groups.setdefault(metric.name.partition(".")[0], []).append(metric)
    blocks: list[Block] = [Grid((host_row(snapshot), facts_row(snapshot, now)), indent=0)]
    for fact, found in groups.items():
        blocks += [BLANK, *_group(fact, found, snapshot)]
    return blocks


def _group(fact: str, metrics: Sequence[Metric], snapshot: Snapshot) -> Iterator[Block]:
    known = f" ({KNOWN_AS[fact]})" if fact in KNOWN_AS else ""
    reading = snapshot.reading(fact)
    if isinstance(reading, Unavailable):
        yield line(Span(fact, "strong"), known, ": ", _gone(reading))
        return
    yield line(Span(fact, "strong"), known)
    plain = [metric for metric in metrics if metric.kind != "list"]
    yield Grid(tuple(_row(metric, snapshot.value(metric.name)) for metric in plain))
    for metric in metrics:
        if metric.kind == "list":
            yield from _items(metric, snapshot.value(metric.name))


def _row(metric: Metric, value: Any) -> Row:
    if isinstance(value, Unavailable):
        return row(metric.name, _reason(value), body=value.why)
    return row(metric.name, value_words(value, metric.unit), body=Span(metric.meaning + _alias(metric, value), "quiet"))


def _alias(metric: Metric, value: int) -> str:
    """What vmstat would show: it counts in KiB."""
    return f" ({metric.alias} of vmstat: {value >> 10:,} KiB/s)" if metric.alias else ""


def _reason(value: Unavailable) -> Span:
    if value.reason == "not yet":  # no failure: its why says what is wanted
        return Span("unknown", "quiet")
    return Span("absent", "quiet") if value.reason == "absent" else Span(value.reason, "unknown")


def _gone(value: Unavailable) -> Text:
    return text(_reason(value), f": {value.why}")


def _items(metric: Metric, value: Any) -> Iterator[Block]:
    head: Text = text(Span(metric.name, "strong"), ": ")
    if isinstance(value, Unavailable):
        yield line(head, _gone(value), indent=2)
        return
    yield line(head, str(len(value)), f"  {metric.meaning}", indent=2)
    if value:
        columns = list(metric.fields)
        first = [column for column in columns if column in ("name", "victim")]
        columns = [*first, *(column for column in columns if column not in first)]
        rows = tuple(tuple(_cell(item, column, metric.fields[column]) for column in columns) for item in value)
        yield Table(tuple(columns), rows, indent=4)


def _cell(item: Struct, path: str, metric: Metric) -> str:
    value: Any = item
    for part in path.split("."):
        value = getattr(value, part, None)
    return value_words(value, metric.unit if metric.unit.value else unit_of(path))
