"""`runbook diagnose --format jsonl`: the line of one host."""

from __future__ import annotations

from typing import Literal

from memrunbook.core.plan.judged import Judged
from memrunbook.documents.printed import Document, with_header
from memrunbook.documents.printed.diagnose import PrintedHost, printed_host


class DiagnoseHostLine(PrintedHost, Document, frozen=True, kw_only=True):
    """A line of runbook diagnose --format jsonl: the host as in `hosts` of runbook diagnose --json."""

    format: Literal["memrunbook.diagnose-host/1"] = "memrunbook.diagnose-host/1"


def diagnose_host(judged: Judged, off: str = "") -> DiagnoseHostLine:
    """One host of a diagnosis; `off` is why nothing may be changed on any."""
    return with_header(printed_host(judged, off), DiagnoseHostLine)
