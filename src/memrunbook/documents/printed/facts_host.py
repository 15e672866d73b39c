"""`runbook facts --format jsonl`: the line of one host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.reached import Reached
from memrunbook.documents.printed import Document, with_header
from memrunbook.documents.printed.facts import FactsHost, host_with_facts


class FactsHostLine(FactsHost, Document, frozen=True, kw_only=True):
    """A line of runbook facts --format jsonl: the host as in `hosts` of runbook facts --json."""

    format: Literal["memrunbook.facts-host/1"] = "memrunbook.facts-host/1"


def facts_host(reached: Reached, chosen: Mapping[str, Metric]) -> FactsHostLine:
    """The chosen metrics of one host."""
    return with_header(host_with_facts(reached, chosen), FactsHostLine)
