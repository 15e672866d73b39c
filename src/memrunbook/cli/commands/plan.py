"""runbook plan: a dry run; real checks, real decisions, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runbooks
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import DISTRIBUTE, HOST_OUTPUT, way_to
from memrunbook.cli.options import (
    HISTORY,
    HOSTS_OR_REPLAY,
    LIBRARY,
    PARAMETERS,
    STATE,
    STORE,
    WATCH,
    OutputOptions,
    common,
)
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.held_up import HeldUp
    from memrunbook.app.planning import PlanArguments, PlanResult
    from memrunbook.core.plan.judged import Planned
    from memrunbook.documents.printed.diagnose import PrintedHost
    from memrunbook.documents.printed.plan import PlanDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("name", metavar="RUNBOOK", shell_complete=complete_runbooks)
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file.")
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with 8 when there are steps to run.")
@common(HOSTS_OR_REPLAY, WATCH, PARAMETERS, LIBRARY, STATE, STORE, HISTORY, DISTRIBUTE, HOST_OUTPUT)
def command(
    name: str,
    targets: Targets,
    output: OutputOptions,
    library: Library,
    state: Path,
    store: str,
    parameters: dict[str, str],
    watch: float | None,
    out: Path | None,
    *,
    exit_code: bool,
    history: bool,
    distribute: bool,
) -> int:
    """Show what RUNBOOK would do on a host, and why. Nothing is changed."""
    from memrunbook.app import PlanArguments

    talk = Conversation(output, targets)
    arguments = PlanArguments(
        runbook=name,
        hosts=talk.hosts,
        connectors=way_to(talk, distribute=distribute),
        library=library,
        state=state,
        store=store,
        parameters=parameters,
        watch=watch,
        out=out,
        history=history,
        distribute=distribute,
        full=output.format.CONVERSES,
    )
    return show_plan(arguments, talk, exit_code=exit_code)


def show_plan(arguments: PlanArguments, talk: Conversation, *, exit_code: bool = False) -> int:
    """Plans, and shows what came of it; the exit code, 8 where there are steps to run and that was asked for.

    7 where a step of an earlier run is open on a host.
    """
    from memrunbook.app import plan_each

    keep = partial(_kept, talk, exit_code=exit_code)
    result = plan_each(arguments, keep, talk.meanwhile, stop=talk.stop)
    codes = [kept.code for kept in result.hosts]
    code = exit_codes.worst([*codes, *(exit_codes.UNKNOWN for left in result.open.values() if left)])
    if arguments.out is not None and result.saved is None:
        talk.note("the plan was not saved: not every host was read", "repeat the command, and let it come to its end")
    pages = partial(_pages, result, arguments)
    outcomes = [kept.outcome for kept in result.hosts]
    return show(talk.output, Reply(code, lambda: _document(result), pages, outcomes))


@dataclass(frozen=True)
class KeptPlan:
    """What is kept of a host: its exit code, how it ended, and what is still to be shown of it.

    `planned` has no snapshot any more: what the page needs it for stands in `head`.
    """

    code: int
    outcome: str = ""
    planned: Planned | None = None
    head: Sequence[Block] = ()
    printed: PrintedHost | None = None


def _kept(talk: Conversation, planned: Planned, held: HeldUp, *, exit_code: bool) -> KeptPlan:
    code, written = _code(planned, exit_code=exit_code), talk.output.format
    if written.CONVERSES:
        without = replace(planned, reached=replace(planned.reached, snapshot=None))
        return KeptPlan(code, planned=without, head=_head(planned, held))
    from memrunbook.documents.printed.plan import planned_host
    from memrunbook.documents.printed.plan_host import plan_host

    printed = planned_host(planned, held.off)
    talk.tell(lambda: plan_host(printed))
    return KeptPlan(code, printed.outcome, printed=None if written.BY_HOST else printed)


def _head(planned: Planned, held: HeldUp) -> list[Block]:
    """The page of one host but for what comes next."""
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.header import open_blocks
    from memrunbook.ui.plan import plan_head

    reached, diagnosis, plan = planned.reached, planned.diagnosis, planned.plan
    if reached.snapshot is None or diagnosis is None or plan is None:
        return [*error_view(reached.error, reached.name), *open_blocks(held.open)]
    frozen, now = [(one.told, one.hint) for one in held.freezes], SystemClock().now()
    return plan_head(diagnosis, plan, reached.snapshot, now, left=held.open, frozen=frozen, off=held.off)


def _code(planned: Planned, *, exit_code: bool) -> int:
    if planned.reached.error is not None:
        return exit_codes.of_error(planned.reached.error)
    if exit_code and planned.plan is not None and planned.plan.changes:
        return exit_codes.INCIDENT
    unknown = planned.diagnosis is not None and planned.diagnosis.incident.state == "unknown"
    return exit_codes.NOT_JUDGED if unknown else exit_codes.OK


def _document(result: PlanResult[KeptPlan]) -> PlanDocument:
    from memrunbook.documents.printed.plan import plan_document

    printed = [one.printed for one in result.hosts if one.printed]
    return plan_document(result.runbook.name, printed, result.open, result.freezes)


def _pages(result: PlanResult[KeptPlan], arguments: PlanArguments) -> Iterator[list[Block]]:
    for kept in result.hosts:
        if kept.planned is not None:
            yield [*kept.head, *_end(kept.planned, result.saved, arguments)]
    if len(result.hosts) > 1:
        yield _table([kept.planned for kept in result.hosts if kept.planned is not None], arguments)


def _end(planned: Planned, out: Path | None, arguments: PlanArguments) -> list[Block]:
    """How the plan of one host is carried out."""
    from memrunbook.cli.next_command import apply_command, run_command
    from memrunbook.cli.saved_plan import approval_lines, people
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.plan import plan_end

    host, plan = planned.reached.host, planned.plan
    if plan is None:
        return []
    saved = None if arguments.distribute else out  # who cannot reach a host cannot apply its plan
    command_line = apply_command(saved) if saved else run_command(arguments.runbook, host)
    before = approval_lines(out, people(arguments.library, [plan])) if out else []
    return plan_end(plan, command_line, SystemClock().now(), str(out or ""), before)


def _table(hosts: Sequence[Planned], arguments: PlanArguments) -> list[Block]:
    from memrunbook.cli.next_command import apply_command, run_command
    from memrunbook.ui.plans import plans_view

    wanted = [one.reached.host for one in hosts if one.plan is not None and one.plan.changes]
    saved = None if arguments.distribute else arguments.out
    command = apply_command(saved) if saved else run_command(arguments.runbook, *wanted)
    return plans_view(hosts, command if wanted else "")
