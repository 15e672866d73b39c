"""runbook apply: carry out a saved plan, exactly as it was approved."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_plans
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.naming import ruled
from memrunbook.cli.next_command import way_options
from memrunbook.cli.options import (
    LIBRARY,
    PARAMETERS,
    PLANNED_HOSTS,
    STATE,
    STORE,
    GateOptions,
    OutputOptions,
    common,
    gates,
)
from memrunbook.cli.reasons import reason_for, unused_page
from memrunbook.cli.recap import recap_page, show_end
from memrunbook.cli.reply import Reply
from memrunbook.cli.rolling import ROLLOUT, with_defaults
from memrunbook.cli.targets import Targets
from memrunbook.core.run.batches import Rollout
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app import RunResult
    from memrunbook.documents.printed.run import RunSummary
    from memrunbook.ui.block import Block


# Nobody is asked here: a plan's gates were answered when it was approved.
GATE = gates("freeze:NAME", "Go through a freeze, with --reason; repeatable.", yes=False)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), shell_complete=complete_plans)
@common(GATE, PLANNED_HOSTS, ROLLOUT, PARAMETERS, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(
    file: Path,
    targets: Targets,
    output: OutputOptions,
    library: Library,
    state: Path,
    store: str,
    parameters: dict[str, str],
    gate: GateOptions,
    rollout: Rollout,
) -> int:
    """Carry out the plan saved in FILE on its hosts. Nobody is asked: what was approved is done, and nothing else.

    It is refused where a host, its boot, the runbook or a decision is not what it was when the plan was made.
    -p gives again what the file does not keep: secrets.
    """
    from memrunbook.app import ApplyArguments, apply
    from memrunbook.app.allowing import only_freezes
    from memrunbook.app.asking import asked_on_pages
    from memrunbook.cli.interrupts import finish_then_stop
    from memrunbook.cli.narration import Narration
    from memrunbook.state.plans import load_plan

    consents = only_freezes(gate.allow, library.config().freeze, gate.reason)
    plan, talk = load_plan(file), Conversation(output, targets)
    library = ruled(library, targets, [host.name for host in plan.saved.hosts])
    arguments = ApplyArguments(
        file=file,
        connectors=talk.connectors(),
        library=library,
        state=state,
        store=store,
        parameters=parameters,
        reason=reason_for(library.config(), gate.reason, talk),
        command=" ".join(click.get_current_context().find_root().obj or ()),
        options=way_options(),
        break_lock=gate.break_lock,
        consents=consents,
        rollout=with_defaults(rollout, library.config().defaults),
        asked=asked_on_pages(state, "apply", plan.digest),
    )
    with Narration(talk, plan.saved.hosts) as told, finish_then_stop(talk.stop, told.in_flight, told.stopping):
        result = apply(arguments, told, stop=talk.stop)
    reply = Reply(exit_codes.of_run(result), lambda: _document(result), lambda: _pages(result, library, output))
    return show_end(talk.output, reply, result)


def _document(result: RunResult) -> RunSummary:
    from memrunbook.documents.printed.run import run_summary

    return run_summary(result.run_id, result.reports, result.saved, result.unused)


def _pages(result: RunResult, library: Library, output: OutputOptions) -> Iterator[list[Block]]:
    from memrunbook.cli.saved_plan import people, saved_lines
    from memrunbook.ui.recap import in_full
    from memrunbook.ui.report import report_view

    for report in compress(result.reports, in_full(result.reports, verbose=output.verbose)):
        saved, begun = result.saved.get(report.host), report.begun
        needed = people(library, [begun.plan]) if begun else 0
        yield [
            *report_view(report, result.run_id, alone=len(result.reports) == 1),
            *(saved_lines(saved, needed) if saved else []),
        ]
    if len(result.reports) > 1:
        yield recap_page(result, output)
    yield from unused_page(result.unused)
