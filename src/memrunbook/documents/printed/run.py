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
    """The last line of runbook run --json; the lines before it are records of the journal (record.schema.json).

    `unused` are the words of --allow that covered nothing.
    """

    one_line: ClassVar[bool] = True

    format: Literal["memrunbook.run/1"] = "memrunbook.run/1"
    event: Literal["summary"] = "summary"
    run: str
    hosts: tuple[ReportedHost, ...]
    saved: dict[str, str] = {}  # noqa: RUF012  msgspec copies it
    unused: tuple[str, ...] = ()


def run_summary(
    run: str, reports: Iterable[HostReport], saved: Mapping[str, Path] = NOTHING, unused: tuple[str, ...] = ()
) -> RunSummary:
    """How a run ended on each host, by host the plans that a gate's refusal saved, and the consents without use."""
    paths = {host: str(path) for host, path in saved.items()}
    return RunSummary(run=run, hosts=reported(reports), saved=paths, unused=unused)
