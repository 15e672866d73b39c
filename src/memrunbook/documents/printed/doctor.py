"""`runbook doctor --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document
from memrunbook.runtime.inspection import Inspection


class PrintedInspection(Struct, frozen=True, kw_only=True):
    """One thing that was looked at: whether it is well, what was found, what to do, and who cannot do without it."""

    area: Literal["programs", "agent", "state", "documents", "way", "reads", "changes"]
    name: str
    state: Literal["ok", "note", "missing"]
    said: str
    remedy: str
    wanted_by: tuple[str, ...]


class PrintedLogin(Struct, frozen=True, kw_only=True):
    """What a login on a host can and cannot do; `reached` says whether there was one."""

    host: str
    reached: bool
    inspections: tuple[PrintedInspection, ...]


class DoctorDocument(Document, frozen=True, kw_only=True):
    """runbook doctor --json."""

    format: Literal["memrunbook.doctor/1"] = "memrunbook.doctor/1"
    well: bool
    missing: int
    here: tuple[PrintedInspection, ...]
    hosts: tuple[PrintedLogin, ...]


def printed(inspections: Iterable[Inspection]) -> tuple[PrintedInspection, ...]:
    """Inspections as they are printed."""
    return tuple(
        PrintedInspection(
            area=one.area, name=one.name, state=one.state, said=one.said, remedy=one.remedy, wanted_by=one.wanted_by
        )
        for one in inspections
    )
