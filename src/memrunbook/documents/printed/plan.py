"""`runbook plan --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from memrunbook.core.plan.judged import Planned
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.diagnose import PrintedHost, host_of, unreached


class PlanDocument(Document, frozen=True, kw_only=True):
    """runbook plan --json."""

    format: Literal["memrunbook.plan/1"] = "memrunbook.plan/1"
    runbook: str
    hosts: tuple[PrintedHost, ...]


def plan_document(runbook: str, hosts: Iterable[Planned]) -> PlanDocument:
    """What a runbook would do on each host."""
    return PlanDocument(runbook=runbook, hosts=tuple(_host(runbook, planned) for planned in hosts))


def _host(runbook: str, planned: Planned) -> PrintedHost:
    snapshot, diagnosis, plan = planned.reached.snapshot, planned.diagnosis, planned.plan
    if snapshot is None or diagnosis is None or plan is None:
        return unreached(planned.reached.name, planned.reached.error)
    return host_of(snapshot, (diagnosis,), runbook, plan.steps)
