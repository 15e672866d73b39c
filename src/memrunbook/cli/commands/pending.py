"""runbook pending: plans that wait for a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.next_command import apply_command, approve_command, kept_options
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.pending_plans import PendingPlan
    from memrunbook.core.reading.rules import RiskLimit
    from memrunbook.documents.printed.pending import PendingDocument
    from memrunbook.ui.block import Block
    from memrunbook.ui.pending import WaitingView


@click.command()
@click.option(
    "--decline", default="", metavar="ID", help="Say no to one, by its id, digest or file: it is not applied."
)
@click.option("--reason", default="", metavar="TEXT", help="Why it is declined; kept.")
@click.option("--expired", is_flag=True, help="List those of the last week whose time is over, too.")
@common(CONFIG, STATE, OUTPUT)
def command(decline: str, reason: str, library: Library, state: Path, output: OutputOptions, *, expired: bool) -> int:
    """List plans that wait for a person: what schedules may not do by themselves, and what a gate refused.

    Each with the exact commands that approve it, apply it, or decline it. With --decline the one that was declined.
    """
    from memrunbook.app import PendingArguments, decline_plan, pending, this_actor

    if reason and not decline:
        raise UsageError("a reason is kept for what is declined", where="--reason", hint="add --decline ID")
    arguments = PendingArguments(state=state, library=library, expired=expired or bool(decline))
    if decline:
        one = decline_plan(arguments, decline, this_actor().user, reason)
        return show(output, Reply(exit_codes.OK, lambda: _document([one]), lambda: _declined(one)))
    found = pending(arguments)
    return show(output, Reply(exit_codes.OK, lambda: _document(found), lambda: _pages(found)))


def _document(found: Sequence[PendingPlan]) -> PendingDocument:
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


def _pages(found: Sequence[PendingPlan]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.pending import pending_view

    yield pending_view([_view(one) for one in found], SystemClock().now())


def _declined(one: PendingPlan) -> Iterator[list[Block]]:
    from memrunbook.ui.block import Span, line

    said = f"Declined: {one.id}, {one.runbook} on {one.host}. It waits no more; the file stays: "
    yield [line(said, Span(str(one.path), whole=True))]


def _view(one: PendingPlan) -> WaitingView:
    from memrunbook.ui.pending import WaitingView

    steps = tuple(f"{step.name}: {step.summary} (risk {step.risk.word})" for step in one.steps)
    left = max(0, one.people - one.approvals)
    others = f"{left} more {'person approves' if left == 1 else 'people approve'} it"
    return WaitingView(
        id=one.id, host=one.host, runbook=one.runbook, creator=one.creator, at=one.at, until=one.until, steps=steps,
        why=one.why, people=others, approve=approve_command(one.path) if left else "", apply=apply_command(one.path),
        decline=shlex.join(["runbook", "pending", "--decline", one.id, *kept_options()]), void=one.void,
        again=shlex.join(["runbook", "plan", one.runbook, "--host", one.host, *kept_options()]),
    )  # fmt: skip
