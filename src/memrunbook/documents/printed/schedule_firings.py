"""`runbook schedule firings --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document


class PrintedFiring(Struct, frozen=True, kw_only=True):
    """A firing; times are in seconds since 1970. `count` is more than 1 where one record stands for several."""

    id: str
    schedule: str
    nominal: float
    state: str
    at: float
    ended: float | None
    owner: str
    run: str
    why: str
    count: int


class ScheduleFiringsDocument(Document, frozen=True, kw_only=True):
    """runbook schedule firings --json."""

    format: Literal["memrunbook.schedule-firings/1"] = "memrunbook.schedule-firings/1"
    firings: tuple[PrintedFiring, ...]
