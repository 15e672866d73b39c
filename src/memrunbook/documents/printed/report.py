"""`runbook report --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.account import Account
from memrunbook.core.run.event import Signals
from memrunbook.core.run.report import HostReport
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.audit import PrintedAuditFinding


class ReportedStep(Struct, frozen=True):
    """How one step ended; `effect` says so where it did not move what it should, `signals` are before and after it.

    `open`: it was begun, and nobody saw how it ended. `left`: it is not proven and not taken back, and may be in force.
    `back_at`: when the host itself takes it back, in seconds since 1970; 0 where it does not.
    """

    id: str
    item: str
    state: str
    why: str
    seconds: float
    effect: str = ""
    signals: dict[str, Signals] = {}
    open: bool = False
    left: bool = False
    back_at: float = 0.0


class ReportedHost(Struct, frozen=True):
    """How a run ended on one host; `taken_back` is the run of `undo` that took a step back since, by step.

    Where another control node did it, `node` is which one and `part` the id of the run there.
    """

    host: str
    outcome: str
    why: str
    steps: tuple[ReportedStep, ...]
    signals: dict[str, Signals]
    held: tuple[str, ...] = ()
    taken_back: dict[str, str] = {}
    node: str = ""
    part: str = ""


class ReportDocument(Document, frozen=True, kw_only=True):
    """runbook report --json."""

    format: Literal["memrunbook.report/1"] = "memrunbook.report/1"
    run: str
    intact: bool
    findings: tuple[PrintedAuditFinding, ...]
    account: Account
    hosts: tuple[ReportedHost, ...]


def report_document(
    run: str,
    reports: Iterable[HostReport],
    findings: Iterable[PrintedAuditFinding],
    account: Account,
    taken_back: Mapping[str, Mapping[str, str]],
) -> ReportDocument:
    """What a run did on each host, who asked for it, and where its journals are not as they were written."""
    found, hosts = tuple(findings), reported(reports, taken_back)
    return ReportDocument(run=run, intact=not found, findings=found, account=account, hosts=hosts)


def reported(
    reports: Iterable[HostReport], taken_back: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> tuple[ReportedHost, ...]:
    """How a run ended on each host, and by host and step which run of `undo` took it back since."""
    return tuple(
        ReportedHost(
            report.host,
            report.outcome,
            report.why,
            _steps(report),
            {"before": report.before, "after": report.after},
            report.held,
            dict(taken_back.get(report.host, {})),
            report.node,
            report.part,
        )
        for report in reports
    )


def _steps(report: HostReport) -> tuple[ReportedStep, ...]:
    return tuple(
        ReportedStep(
            id=step.id,
            item=step.item,
            state=step.state,
            why=step.why,
            seconds=step.seconds,
            effect=step.effect,
            signals={"before": step.before, "after": step.after},
            open=step.open,
            left=step.left,
            back_at=step.back_at,
        )
        for step in report.steps
    )
