"""`runbook facts --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from memrunbook.core.errors import Interrupted
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.documents.printed import Document


class PrintedMetric(Struct, frozen=True):
    """One metric of a host; `value` is null where it could not be had, and `why` says so."""

    name: str
    value: Any
    unit: str
    meaning: str
    source: str
    why: str = ""


class FactsHost(Struct, frozen=True):
    """The metrics of one host; `error` where it could not be read."""

    host: str
    outcome: Literal["ok", "unreachable", "interrupted"]
    error: str
    metrics: tuple[PrintedMetric, ...]


class FactsDocument(Document, frozen=True, kw_only=True):
    """runbook facts --json."""

    format: Literal["memrunbook.facts/1"] = "memrunbook.facts/1"
    hosts: tuple[FactsHost, ...]


def host_with_facts(reached: Reached, chosen: Mapping[str, Metric]) -> FactsHost:
    """The chosen metrics of one host."""
    snapshot = reached.snapshot
    if snapshot is None:
        cut_short = isinstance(reached.error, Interrupted)
        return FactsHost(reached.name, "interrupted" if cut_short else "unreachable", str(reached.error or ""), ())
    return FactsHost(reached.name, "ok", "", tuple(_metric(metric, snapshot) for metric in chosen.values()))


def _metric(metric: Metric, snapshot: Snapshot) -> PrintedMetric:
    value = snapshot.value(metric.name)
    if isinstance(value, Unavailable):
        return PrintedMetric(metric.name, None, metric.unit.value, metric.meaning, metric.source, value.why)
    return PrintedMetric(metric.name, msgspec.to_builtins(value), metric.unit.value, metric.meaning, metric.source)
