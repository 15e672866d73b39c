"""`runbook record --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedRecording(Struct, frozen=True, kw_only=True):
    """One host's recording; `error` where there is none. `called` is its name in the recording."""

    host: str
    outcome: Literal["ok", "unreachable", "interrupted", "failed"]
    error: str = ""
    called: str = ""
    file: str = ""
    size_bytes: int = 0
    samples: int = 0
    answers: int = 0
    unanswered: int = 0


class RecordDocument(Document, frozen=True, kw_only=True):
    """runbook record --json."""

    format: Literal["memrunbook.recording/1"] = "memrunbook.recording/1"
    masked: bool
    hosts: tuple[PrintedRecording, ...]


def record_document(hosts: Iterable[PrintedRecording], *, masked: bool) -> RecordDocument:
    """What became of each host."""
    return RecordDocument(masked=masked, hosts=tuple(hosts))
