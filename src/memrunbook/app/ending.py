"""How the hosts of a run ended: what is written of it, and what a gate refused, saved for later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memrunbook.app.saving import Deciding, save
from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.run.event import LookedAt, Outcome, UndoPlanned
from memrunbook.core.run.record import EndedHost, Temporary
from memrunbook.core.run.report import HostReport
from memrunbook.state.names import file_name


def ended_host(report: HostReport, run_id: str) -> EndedHost:
    """How a run ended on a host; with what it found out of the steps that other runs had left open there."""
    outcome: Outcome = "interrupted" if report.outcome == "running" else report.outcome
    looks = [event for event in report.others if isinstance(event, LookedAt) and event.run != run_id]
    undo = next((event for event in report.others if isinstance(event, UndoPlanned)), None)
    plan = report.begun.plan if report.begun else undo.plan if undo else None
    labels = {f"{step.id}/{step.item}" if step.item else step.id: step for step in report.steps}
    return EndedHost(
        host=report.host,
        outcome=outcome,
        machine_id=plan.identity.machine_id if plan else "",
        settled=tuple(look.record for look in looks if look.settled),
        temporary=tuple(Temporary(name, one.summary, one.back_at) for name, one in labels.items() if one.back_at),
        undone=tuple(name for name, one in labels.items() if one.state == "done") if undo else (),
    )


def refused_changes(report: HostReport) -> list[str]:
    """What `--allow` would have to say for the steps that a gate refused, or that stay open: [again:]ACTION:TARGET."""
    planned = {(step.id, step.item): step.change for step in report.begun.plan.steps} if report.begun else {}
    stopped = [step for step in report.steps if step.state == "refused" or step.open]
    refused = [planned.get((step.id, step.item)) for step in stopped]
    words = [f"{change.action}:{change.target}" for change in refused if change is not None]
    unknown = {f"{one.action}:{one.target}" for one in report.others if isinstance(one, LookedAt) and _is_open(one)}
    return [f"again:{word}" if word in unknown else word for word in words]


def save_refused(folder: Path, reports: Sequence[HostReport], asked: Deciding) -> dict[str, Path]:
    """The plans of the hosts where a gate refused, in their final format; JournalError where that cannot be written."""
    saved = {}
    for report in reports:
        if report.begun is not None and any(step.state == "refused" for step in report.steps):
            saved[report.host] = folder / f"plan-{file_name(report.host)}.json"
            try:
                save(saved[report.host], asked, [report.begun.plan])
            except UsageError as error:  # what was done is done: that is no mistake of whoever typed the command
                hint = "free space there; the run itself has ended, and is sealed"
                raise JournalError(error.message, where=error.where, hint=hint) from None
    return saved


def _is_open(look: LookedAt) -> bool:
    return look.once and not look.settled
