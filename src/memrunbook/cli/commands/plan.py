"""runbook plan: a dry run; real checks, real decisions, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runbooks
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.options import (
    HOSTS_OR_REPLAY,
    LIBRARY,
    OUTPUT,
    PARAMETERS,
    STATE,
    WATCH,
    OutputOptions,
    common,
)
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.planning import PlanArguments, PlanResult
    from memrunbook.core.plan.judged import Planned
    from memrunbook.documents.printed.plan import PlanDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("name", shell_complete=complete_runbooks)
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file.")
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with 8 when there are steps to run.")
@common(HOSTS_OR_REPLAY, WATCH, PARAMETERS, LIBRARY, STATE, OUTPUT)
def command(
    name: str,
    targets: Targets,
    output: OutputOptions,
    library: Library,
    state: Path,
    parameters: dict[str, str],
    watch: float | None,
    out: Path | None,
    *,
    exit_code: bool,
) -> int:
    """Show what RUNBOOK would do on a host, and why. Nothing is changed."""
    from memrunbook.app import PlanArguments

    talk = Conversation(output, targets)
    arguments = PlanArguments(
        runbook=name,
        hosts=talk.hosts,
        connectors=talk.connectors(),
        library=library,
        state=state,
        parameters=parameters,
        watch=watch,
        out=out,
    )
    return show_plan(arguments, talk, exit_code=exit_code)


def show_plan(arguments: PlanArguments, talk: Conversation, *, exit_code: bool = False) -> int:
    """Plans, and shows what came of it; the exit code, 8 where there are steps to run and that was asked for.

    7 where a step of an earlier run is open on a host.
    """
    from memrunbook.app import plan

    result = plan(arguments, talk.meanwhile, stop=talk.stop, told=partial(_tell, talk))
    codes = [_code(planned, exit_code=exit_code) for planned in result.hosts]
    code = exit_codes.worst([*codes, *(exit_codes.UNKNOWN for left in result.open.values() if left)])
    if arguments.out is not None and result.saved is None:
        talk.note("the plan was not saved: not every host was read", "repeat the command, and let it come to its end")
    pages = partial(_pages, result, arguments)
    return show(talk.output, Reply(code, lambda: _document(result), pages, by_host=True))


def _tell(talk: Conversation, planned: Planned, off: str) -> None:
    from memrunbook.documents.printed.plan_host import plan_host

    talk.tell(lambda: plan_host(planned, off))


def _code(planned: Planned, *, exit_code: bool) -> int:
    if planned.reached.error is not None:
        return exit_codes.of_error(planned.reached.error)
    if exit_code and planned.plan is not None and planned.plan.changes:
        return exit_codes.INCIDENT
    unknown = planned.diagnosis is not None and planned.diagnosis.incident.state == "unknown"
    return exit_codes.NOT_JUDGED if unknown else exit_codes.OK


def _document(result: PlanResult) -> PlanDocument:
    from memrunbook.documents.printed.plan import PrintedFreeze, plan_document

    left = [one for found in result.open.values() for one in found]
    freezes = [
        PrintedFreeze(host=host, name=one.name, until=one.until, why=one.told)
        for host, found in result.freezes.items()
        for one in found
    ]
    return plan_document(result.runbook.name, result.hosts, left, freezes, result.off)


def _pages(result: PlanResult, arguments: PlanArguments) -> Iterator[list[Block]]:
    from memrunbook.cli.next_command import apply_command, run_command
    from memrunbook.cli.saved_plan import approval_lines, people
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.header import open_blocks
    from memrunbook.ui.plan import plan_view

    out = result.saved
    for planned in result.hosts:
        reached, diagnosis, plan = planned.reached, planned.diagnosis, planned.plan
        left = result.open.get(reached.name, ())
        if reached.snapshot is None or diagnosis is None or plan is None:
            yield [*error_view(reached.error, reached.name), *open_blocks(left)]
        else:
            command_line = apply_command(out) if out else run_command(arguments.runbook, reached.host)
            now, saved = SystemClock().now(), str(out or "")
            held = [(one.told, one.hint) for one in result.freezes.get(reached.name, ())]
            page = plan_view(
                diagnosis,
                plan,
                reached.snapshot,
                command_line,
                now,
                saved=saved,
                left=left,
                frozen=held,
                off=result.off,
            )
            needed = people(arguments.library, [plan]) if out else 0
            yield [*page, *(approval_lines(out, needed) if out else [])]
    if len(result.hosts) > 1:
        yield _table(result, arguments)


def _table(result: PlanResult, arguments: PlanArguments) -> list[Block]:
    from memrunbook.cli.next_command import apply_command, run_command
    from memrunbook.ui.plans import plans_view

    wanted = [one.reached.host for one in result.hosts if one.plan is not None and one.plan.changes]
    command = apply_command(arguments.out) if arguments.out else run_command(arguments.runbook, *wanted)
    return plans_view(result.hosts, command if wanted else "")
