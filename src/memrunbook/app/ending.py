"""How the hosts of a run ended: what is written of it, and what a gate refused, saved for later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.saving import Deciding, save
from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.plan.plan import Plan
from memrunbook.core.run.event import LookedAt, Outcome, UndoPlanned
from memrunbook.core.run.record import EndedHost, Temporary
from memrunbook.core.run.report import HostReport

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd


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
        node=report.node,
    )


def end_of(report: HostReport) -> tuple[HostEnd, str]:
    """The outcome of a host and why."""
    return report.outcome, report.why


def refused_changes(report: HostReport) -> list[str]:
    """What `--allow` would have to say for the steps that a gate refused, or that stay open: [again:]ACTION:TARGET."""
    planned = {(step.id, step.item): step.change for step in report.begun.plan.steps} if report.begun else {}
    unknown = {f"{one.action}:{one.target}" for one in report.others if isinstance(one, LookedAt) and _is_open(one)}
    words = []
    for step in report.steps:
        change = planned.get((step.id, step.item)) if step.state == "refused" or step.open else None
        named = f"{change.action}:{change.target}" if change is not None else ""
        if named in unknown:
            words.append(f"again:{named}")
        elif named and not step.open:  # what is open and was not looked at is looked at by the next run first
            words.append(named)
    return words


def save_refused(place: Callable[[Plan], Path], reports: Sequence[HostReport], asked: Deciding) -> dict[str, Path]:
    """The plans of the hosts where a gate refused, in their final format; JournalError where that cannot be written.

    `place` is where one lies.
    """
    saved = {}
    for report in reports:
        if report.begun is not None and not report.hint and _refused_at_a_gate(report, report.begun.plan):
            saved[report.host] = place(report.begun.plan)
            try:
                save(saved[report.host], asked, [report.begun.plan])
            except UsageError as error:  # what was done is done: that is no mistake of whoever typed the command
                hint = "free space there; the run itself has ended, and is sealed"
                raise JournalError(error.message, where=error.where, hint=hint) from None
    return saved


def _refused_at_a_gate(report: HostReport, plan: Plan) -> bool:
    """True where a step was refused that the plan would carry out: not by a rule that refuses it from the start."""
    planned = {(step.id, step.item): step for step in plan.steps}
    refused = [planned.get((step.id, step.item)) for step in report.steps if step.state == "refused"]
    return any(step is None or not step.rule for step in refused)


def _is_open(look: LookedAt) -> bool:
    return look.once and not look.settled
