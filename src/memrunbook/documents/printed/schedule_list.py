"""`runbook schedule list --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document
from memrunbook.documents.printed.schedule_firings import PrintedFiring


class PrintedSchedule(Struct, frozen=True, kw_only=True):
    """A schedule; `next` is when it fires next in seconds since 1970, null where it does not."""

    name: str
    state: Literal["active", "paused", "broken", "over"]
    why: str
    hint: str
    runbook: str
    hosts: tuple[str, ...]
    mode: Literal["", "plan", "run"]
    next: float | None
    last: PrintedFiring | None


class ScheduleListDocument(Document, frozen=True, kw_only=True):
    """runbook schedule list --json."""

    format: Literal["memrunbook.schedule-list/1"] = "memrunbook.schedule-list/1"
    schedules: tuple[PrintedSchedule, ...]
