"""`runbook facts --format jsonl`: the line of one host."""

from __future__ import annotations

from typing import Literal

from memrunbook.documents.printed import Document, with_header
from memrunbook.documents.printed.facts import FactsHost


class FactsHostLine(FactsHost, Document, frozen=True, kw_only=True):
    """A line of runbook facts --format jsonl: the host as in `hosts` of runbook facts --json."""

    format: Literal["memrunbook.facts-host/1"] = "memrunbook.facts-host/1"


def facts_host(host: FactsHost) -> FactsHostLine:
    """The metrics of one host."""
    return with_header(host, FactsHostLine)
