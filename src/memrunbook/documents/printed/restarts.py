"""`runbook runs --unit NAME --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.restarts import End, Helped
from memrunbook.documents.printed import Document


class PrintedRestart(Struct, frozen=True, kw_only=True):
    """One change of the unit by a run; times in seconds since 1970, `helped_seconds` until what `until` says."""

    host: str
    run: str
    action: str
    target: str
    actor: str
    begun: float
    ended: float | None
    state: str
    helped_seconds: float
    until: End


class RestartsDocument(Document, frozen=True, kw_only=True):
    """runbook runs --unit NAME --json."""

    format: Literal["memrunbook.restarts/1"] = "memrunbook.restarts/1"
    unit: str
    restarts: tuple[PrintedRestart, ...]


def restarts_document(unit: str, found: Iterable[Helped]) -> RestartsDocument:
    """The changes of a unit, host by host in the order of time."""
    printed = (
        PrintedRestart(
            host=one.change.host,
            run=one.change.run,
            action=one.change.action,
            target=one.change.target,
            actor=one.change.actor,
            begun=one.change.begun,
            ended=one.change.ended,
            state=one.change.state,
            helped_seconds=one.seconds,
            until=one.until,
        )
        for one in found
    )
    return RestartsDocument(unit=unit, restarts=tuple(printed))
