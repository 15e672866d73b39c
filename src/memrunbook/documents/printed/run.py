"""`runbook run --json`: the records of the journal, one a line, and the summary as the last line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from memrunbook.core.run.report import HostReport
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.report import ReportedHost, reported

NOTHING: Mapping[str, Path] = MappingProxyType({})


class RunSummary(Document, frozen=True, kw_only=True):
    """The last line of runbook run --json; the lines before it are records of the journal (record.schema.json)."""

    one_line: ClassVar[bool] = True

    format: Literal["memrunbook.run/1"] = "memrunbook.run/1"
    event: Literal["summary"] = "summary"
    run: str
    hosts: tuple[ReportedHost, ...]
    saved: dict[str, str] = {}  # noqa: RUF012  msgspec copies it


def run_summary(run: str, reports: Iterable[HostReport], saved: Mapping[str, Path] = NOTHING) -> RunSummary:
    """How a run ended on each host, and by host the plans that were saved where a gate refused."""
    return RunSummary(run=run, hosts=reported(reports), saved={host: str(path) for host, path in saved.items()})
