"""`runbook plan --format jsonl`: the line of one host."""

from __future__ import annotations

from typing import Literal

from memrunbook.documents.printed import Document, with_header
from memrunbook.documents.printed.diagnose import PrintedHost


class PlanHostLine(PrintedHost, Document, frozen=True, kw_only=True):
    """A line of runbook plan --format jsonl: the host as in `hosts` of runbook plan --json."""

    format: Literal["memrunbook.plan-host/1"] = "memrunbook.plan-host/1"


def plan_host(host: PrintedHost) -> PlanHostLine:
    """What a runbook would do on one host."""
    return with_header(host, PlanHostLine)
