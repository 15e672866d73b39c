"""`runbook schedule preview --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedMoment(Struct, frozen=True, kw_only=True):
    """A firing to come: nominal time as shown there (ISO 8601) and in UTC, seconds of jitter, what clocks do to it."""

    id: str
    schedule: str
    local: str
    utc: str
    jitter: float
    oddity: Literal["", "moved", "first", "again"]


class SchedulePreviewDocument(Document, frozen=True, kw_only=True):
    """runbook schedule preview --json."""

    format: Literal["memrunbook.schedule-preview/1"] = "memrunbook.schedule-preview/1"
    firings: tuple[PrintedMoment, ...]
