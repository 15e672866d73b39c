"""What is told of plans that wait: the document, and each with the commands that approve, apply and decline it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from memrunbook.app.pending_plans import PendingPlan
    from memrunbook.core.reading.rules import RiskLimit
    from memrunbook.documents.printed.pending import PendingDocument
    from memrunbook.ui.pending import WaitingView


@dataclass(frozen=True)
class PlanCommands:
    """What is typed for a plan: to approve it, apply it, decline it, and plan it anew."""

    approve: Callable[[PendingPlan], str]
    apply: Callable[[PendingPlan], str]
    decline: Callable[[PendingPlan], str]
    again: Callable[[PendingPlan], str]


def pending_document(found: Sequence[PendingPlan]) -> PendingDocument:
    """The document of `runbook pending --json`."""
    from memrunbook.documents.printed.pending import PendingDocument, PrintedPending, PrintedPendingStep

    plans = (
        PrintedPending(
            id=one.id, digest=one.digest, path=str(one.path), host=one.host, runbook=one.runbook, creator=one.creator,
            at=one.at, until=one.until, why=one.why, people=one.people, approvals=one.approvals, void=one.void,
            steps=tuple(
                PrintedPendingStep(
                    name=step.name, action=step.action, target=step.target, summary=step.summary,
                    risk=cast("RiskLimit", step.risk.word),
                )
                for step in one.steps
            ),
        )
        for one in found
    )  # fmt: skip
    return PendingDocument(plans=tuple(plans))


def waiting_view(one: PendingPlan, commands: PlanCommands) -> WaitingView:
    """A plan as it is shown."""
    from memrunbook.ui.pending import WaitingView

    steps = tuple(f"{step.name}: {step.summary} (risk {step.risk.word})" for step in one.steps)
    left = max(0, one.people - one.approvals)
    others = f"{left} more {'person approves' if left == 1 else 'people approve'} it"
    return WaitingView(
        id=one.id, host=one.host, runbook=one.runbook, creator=one.creator, at=one.at, until=one.until, steps=steps,
        why=one.why, people=others, approve=commands.approve(one) if left else "", apply=commands.apply(one),
        decline=commands.decline(one), void=one.void, again=commands.again(one),
    )  # fmt: skip
