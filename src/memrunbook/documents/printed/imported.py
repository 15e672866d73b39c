"""`runbook import-history --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedImport(Struct, frozen=True, kw_only=True):
    """What was taken over of one host; `error` where nothing was, `skipped` what could not be read."""

    host: str
    points: int = 0
    series: int = 0
    skipped: tuple[str, ...] = ()
    error: str = ""


class ImportedDocument(Document, frozen=True, kw_only=True):
    """runbook import-history --json."""

    format: Literal["memrunbook.imported/1"] = "memrunbook.imported/1"
    source: Literal["sar", "prometheus"]
    hosts: tuple[PrintedImport, ...]


def imported_document(source: Literal["sar", "prometheus"], hosts: Iterable[PrintedImport]) -> ImportedDocument:
    """What became of each host."""
    return ImportedDocument(source=source, hosts=tuple(hosts))
