"""runbook pending: plans that wait for a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.app.shown_pending import PlanCommands, pending_document, waiting_view
from memrunbook.cli import exit_codes
from memrunbook.cli.next_command import apply_command, approve_command, kept_options
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.remarks import Remarks
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.pending_plans import PendingPlan
    from memrunbook.ui.block import Block


@click.command()
@click.option(
    "--decline", default="", metavar="ID", help="Say no to one, by its id, digest or file: it is not applied."
)
@click.option("--reason", default="", metavar="TEXT", help="Why it is declined; kept.")
@click.option("--expired", is_flag=True, help="List those of the last week whose time is over, too.")
@common(CONFIG, STATE, STORE, OUTPUT)
def command(
    decline: str, reason: str, library: Library, state: Path, store: str, output: OutputOptions, *, expired: bool
) -> int:
    """List plans that wait for a person: what schedules may not do by themselves, and what a gate refused.

    Each with the exact commands that approve it, apply it, or decline it. With --decline the one that was declined.
    """
    from memrunbook.app import PendingArguments, decline_plan, pending, this_actor

    if reason and not decline:
        raise UsageError("a reason is kept for what is declined", where="--reason", hint="add --decline ID")
    arguments = PendingArguments(
        state=state,
        library=library,
        store=store,
        expired=expired or bool(decline),
        told=Remarks(output.color).remark,
    )
    if decline:
        one = decline_plan(arguments, decline, this_actor().user, reason)
        return show(output, Reply(exit_codes.OK, lambda: pending_document([one]), lambda: _declined(one)))
    found = pending(arguments)
    return show(output, Reply(exit_codes.OK, lambda: pending_document(found), lambda: _pages(found)))


def _pages(found: Sequence[PendingPlan]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.pending import pending_view

    yield pending_view([waiting_view(one, COMMANDS) for one in found], SystemClock().now())


def _declined(one: PendingPlan) -> Iterator[list[Block]]:
    from memrunbook.ui.block import Span, line

    said = f"Declined: {one.id}, {one.runbook} on {one.host}. It waits no more; the file stays: "
    yield [line(said, Span(str(one.path), whole=True))]


COMMANDS = PlanCommands(
    approve=lambda one: approve_command(one.path),
    apply=lambda one: apply_command(one.path),
    decline=lambda one: shlex.join(["runbook", "pending", "--decline", one.id, *kept_options()]),
    again=lambda one: shlex.join(["runbook", "plan", one.runbook, "--host", one.host, *kept_options()]),
)
