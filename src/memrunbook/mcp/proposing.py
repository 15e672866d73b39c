"""The tool propose: a plan waits for a person, with the commands that this person types."""

from __future__ import annotations

from collections.abc import Iterable

from memrunbook.app.pending_plans import PendingPlan
from memrunbook.app.proposing import propose
from memrunbook.documents.printed.plan import plan_document, planned_host
from memrunbook.documents.printed.proposal import PrintedProposal, ProposalDocument
from memrunbook.mcp.answer import ToolAnswer
from memrunbook.mcp.following import Following
from memrunbook.mcp.hosts_tools import plan_arguments, plan_head_of, refuse_unread
from memrunbook.mcp.inputs import PlanAsked
from memrunbook.mcp.served import Served
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.block import Block, Span, line
from memrunbook.ui.pending import WaitingView, pending_view

NOTHING = "Nothing is proposed: no step would change anything."
WAITS = "Nothing was changed. Only a person can carry it out, by typing the command above."


def propose_tool(served: Served, asked: PlanAsked, following: Following) -> ToolAnswer:
    """Saves a plan that waits for a person."""
    found = propose(plan_arguments(served, asked, following), following, stop=following.stop)
    planned = found.planned
    refuse_unread(one.reached for one in planned.hosts)
    hosts = [planned_host(one, planned.off) for one in planned.hosts]
    plan = plan_document(planned.runbook.name, hosts, planned.open, planned.freezes)
    document = ProposalDocument(
        runbook=plan.runbook,
        hosts=plan.hosts,
        open=plan.open,
        freezes=plan.freezes,
        proposed=tuple(_printed(served, one) for one in found.waiting),
    )
    heads = [plan_head_of(one, planned) for one in planned.hosts]
    return ToolAnswer(document, [*heads, _end(served, found.waiting)])


def _printed(served: Served, one: PendingPlan) -> PrintedProposal:
    return PrintedProposal(
        host=one.host,
        id=one.id,
        digest=one.digest,
        path=str(one.path),
        creator=one.creator,
        until=one.until,
        people=one.people,
        approve=_approve(served, one),
        apply=served.command("apply", str(one.path)),
        decline=_decline(served, one),
    )


def _end(served: Served, waiting: Iterable[PendingPlan]) -> list[Block]:
    views = [_view(served, one) for one in waiting]
    if not views:
        return [line(NOTHING)]
    return [*pending_view(views, SystemClock().now()), line(Span(WAITS, "strong"))]


def _view(served: Served, one: PendingPlan) -> WaitingView:
    steps = tuple(f"{step.name}: {step.summary} (risk {step.risk.word})" for step in one.steps)
    return WaitingView(
        id=one.id,
        host=one.host,
        runbook=one.runbook,
        creator=one.creator,
        at=one.at,
        until=one.until,
        steps=steps,
        why=one.why,
        people=f"{one.people} more {'person approves' if one.people == 1 else 'people approve'} it",
        approve=_approve(served, one),
        apply=served.command("apply", str(one.path)),
        decline=_decline(served, one),
        void=one.void,
        again="",
    )


def _approve(served: Served, one: PendingPlan) -> str:
    return served.command("approve", str(one.path)) if one.people else ""


def _decline(served: Served, one: PendingPlan) -> str:
    return served.command("pending", "--decline", one.id)
