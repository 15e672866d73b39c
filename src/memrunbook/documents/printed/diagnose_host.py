"""`runbook diagnose --format jsonl`: the line of one host."""

from __future__ import annotations

from typing import Literal

from memrunbook.documents.printed import Document, with_header
from memrunbook.documents.printed.diagnose import PrintedHost


class DiagnoseHostLine(PrintedHost, Document, frozen=True, kw_only=True):
    """A line of runbook diagnose --format jsonl: the host as in `hosts` of runbook diagnose --json."""

    format: Literal["memrunbook.diagnose-host/1"] = "memrunbook.diagnose-host/1"


def diagnose_host(host: PrintedHost) -> DiagnoseHostLine:
    """One host of a diagnosis."""
    return with_header(host, DiagnoseHostLine)
