"""`runbook plan --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from msgspec import Struct

from memrunbook.core.plan.judged import Planned
from memrunbook.core.run.flight import OpenStep
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.diagnose import PrintedHost, host_of, unreached
from memrunbook.documents.printed.runs import PrintedOpen, open_steps


class PrintedFreeze(Struct, frozen=True, kw_only=True):
    """A freeze that holds on a host now; `until` is in seconds since 1970."""

    host: str
    name: str
    until: float
    why: str


class PlanDocument(Document, frozen=True, kw_only=True):
    """runbook plan --json."""

    format: Literal["memrunbook.plan/1"] = "memrunbook.plan/1"
    runbook: str
    hosts: tuple[PrintedHost, ...]
    open: tuple[PrintedOpen, ...] = ()
    freezes: tuple[PrintedFreeze, ...] = ()


class HoldingFreeze(Protocol):
    """A freeze that holds on a host, as a use case tells it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def until(self) -> float:
        """When it ends, in seconds since 1970."""

    @property
    def told(self) -> str:
        """Whose word it is, in a sentence."""


def plan_document(
    runbook: str,
    hosts: Iterable[PrintedHost],
    left: Mapping[str, Iterable[OpenStep]],
    freezes: Mapping[str, Iterable[HoldingFreeze]],
) -> PlanDocument:
    """What a runbook would do on each host; by host what is left open there, and the freezes that hold there now."""
    return PlanDocument(
        runbook=runbook,
        hosts=tuple(hosts),
        open=open_steps(one for found in left.values() for one in found),
        freezes=tuple(
            PrintedFreeze(host=host, name=one.name, until=one.until, why=one.told)
            for host, found in freezes.items()
            for one in found
        ),
    )


def planned_host(planned: Planned, off: str = "") -> PrintedHost:
    """What a runbook would do on one host; `off` is why nothing may be changed on any of them."""
    snapshot, diagnosis, plan = planned.reached.snapshot, planned.diagnosis, planned.plan
    if snapshot is None or diagnosis is None or plan is None:
        return unreached(planned.reached.name, planned.reached.error)
    return host_of(snapshot, (diagnosis,), diagnosis.runbook, plan.steps, off=off)
