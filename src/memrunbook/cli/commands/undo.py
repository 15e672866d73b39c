"""runbook undo: take back what a run has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runs
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.naming import ruled
from memrunbook.cli.next_command import WAY, kept_options, way_options
from memrunbook.cli.options import CONFIG, HOSTS, STATE, STORE, GateOptions, OutputOptions, common, gates
from memrunbook.cli.reasons import reason_for, unused_page
from memrunbook.cli.reply import Reply
from memrunbook.cli.rolling import BATCHES
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.cli.targets import typed as is_typed
from memrunbook.core.run.batches import Rollout
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app import RunResult, UndoArguments, UndoPlans
    from memrunbook.core.host import Host
    from memrunbook.core.run.report import HostReport
    from memrunbook.documents.printed.run import RunSummary
    from memrunbook.documents.printed.undo import UndoDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("run", metavar="RUN", shell_complete=complete_runs)
@click.option("--step", default="", metavar="ID", help="Only this step of the run, or one item of it: ID/ITEM.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken back, and change nothing.")
@common(
    gates("ACTION[:TARGET]", "Consent to exactly this; repeatable."), HOSTS, BATCHES, CONFIG, STATE, STORE, HOST_OUTPUT
)
def command(
    run: str,
    targets: Targets,
    output: OutputOptions,
    gate: GateOptions,
    library: Library,
    state: Path,
    store: str,
    step: str,
    rollout: Rollout,
    *,
    dry_run: bool,
) -> int:
    """Take back what a run has changed, the newest change first; RUN is its id, or: last.

    What somebody else has changed since is left alone. It is a run of its own, with gates, and can be undone itself.
    Without --host it is taken back on all hosts of the run, which are reached as the run reached them.
    """
    from memrunbook.app import UndoArguments
    from memrunbook.app.allowing import checked
    from memrunbook.app.undoing import undo_order

    consents = checked(gate.allow, reason=gate.reason, again=False)
    typed = click.get_current_context()
    order = undo_order(state, run)
    way = _of_this_command(typed, order.options) if order is not None else []
    if way and not _names_a_way(typed):
        return _as_before(typed, way)
    library, talk = ruled(library, targets), Conversation(output, targets)
    arguments = UndoArguments(
        run=run,
        hosts=talk.hosts if targets.host else (),
        step=step,
        connectors=talk.connectors(),
        library=library,
        state=state,
        store=store,
        reason=gate.reason if dry_run else reason_for(library.config(), gate.reason, talk),
        command=" ".join(typed.find_root().obj or ()),
        options=way_options(),
        break_lock=gate.break_lock,
        consents=consents,
        rollout=rollout,
    )
    return _show_plan(arguments, talk) if dry_run else _undo(arguments, talk, yes=gate.yes)


def _show_plan(arguments: UndoArguments, talk: Conversation) -> int:
    from memrunbook.app import undo_plan

    plans = undo_plan(arguments, talk.meanwhile, stop=talk.stop)
    codes = [exit_codes.of_error(one.error) if one.error else exit_codes.OK for one in plans.hosts]
    code = exit_codes.worst(codes) if codes else exit_codes.OK
    return show(talk.output, Reply(code, lambda: _planned(plans), lambda: _plan_pages(plans, arguments)))


def _planned(plans: UndoPlans) -> UndoDocument:
    from memrunbook.documents.printed.undo import undo_document

    return undo_document(plans.run_id, ((one.host, one.plan, str(one.error or "")) for one in plans.hosts))


def _plan_pages(plans: UndoPlans, arguments: UndoArguments) -> Iterator[Sequence[Block]]:
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.undo import nothing_view, undo_view

    if not plans.hosts:
        yield nothing_view(plans.run_id)
    for one in plans.hosts:
        if one.plan is None:
            yield error_view(one.error, one.host)
        else:
            yield undo_view(plans.run_id, one.plan, _again(plans.run_id, one.host, arguments))


def _undo(arguments: UndoArguments, talk: Conversation, *, yes: bool) -> int:
    from memrunbook.app import undo
    from memrunbook.app.past import pasts_of, reached
    from memrunbook.cli.commands.run import approver_of
    from memrunbook.cli.interrupts import finish_then_stop
    from memrunbook.cli.narration import Narration

    found, pasts = pasts_of(arguments.state, arguments.run, arguments.hosts, arguments.step)
    hosts = reached(found, arguments.hosts, pasts)
    with Narration(talk, hosts) as told, finish_then_stop(talk.stop, told.in_flight, told.stopping):
        who, rollout = arguments.actor.user, arguments.rollout
        approver = approver_of(talk, arguments.consents, hosts, who, told, yes=yes, rollout=rollout)
        result = undo(arguments, approver, told, stop=talk.stop)
    code = exit_codes.of_run(result) if result.reports else exit_codes.OK
    pages = Reply(code, lambda: _document(result), lambda: _pages(result, found.run_id, arguments, hosts, talk.output))
    return show(talk.output, pages)


def _document(result: RunResult) -> RunSummary:
    from memrunbook.documents.printed.run import run_summary

    return run_summary(result.run_id, result.reports, result.saved, result.unused)


def _pages(
    result: RunResult, of: str, arguments: UndoArguments, hosts: Sequence[Host], output: OutputOptions
) -> Iterator[Sequence[Block]]:
    from memrunbook.cli.recap import recap_page
    from memrunbook.ui.recap import in_full
    from memrunbook.ui.report import report_view
    from memrunbook.ui.undo import nothing_view

    if not result.reports:
        yield nothing_view(of)
    shown = in_full(result.reports, verbose=output.verbose)
    for report, host in compress(zip(result.reports, hosts, strict=True), shown):
        yield [*report_view(report, result.run_id, alone=len(result.reports) == 1), *_next(report, host, of, arguments)]
    if len(result.reports) > 1:
        yield recap_page(result, output, resumes=False)
    yield from unused_page(result.unused)


def _next(report: HostReport, host: Host, of: str, arguments: UndoArguments) -> list[Block]:
    """How to allow what a gate refused."""
    from memrunbook.app.undoing import unallowed
    from memrunbook.ui.block import line, to_type

    words = [word for consent in unallowed(report) for word in ("--allow", consent)]
    if not words:
        return []
    again = _again(of, host.typed, arguments, *words)
    return [line("To allow it:  ", to_type(again))]


def _again(run_id: str, host: str, arguments: UndoArguments, *more: str) -> str:
    """`runbook undo RUN --host HOST …` with the options that were given."""
    import shlex

    step = ["--step", arguments.step] if arguments.step else []
    return shlex.join(["runbook", "undo", run_id, "--host", host, *step, *kept_options(more=more)])


def _names_a_way(typed: click.Context) -> bool:
    """True where the command line says itself how the hosts are reached; which rules hold is another matter."""
    from click.core import ParameterSource

    return any(typed.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in WAY - {"config_dir"})


def _as_before(typed: click.Context, way: Sequence[str]) -> int:
    """The same command, with the options by which the run reached its hosts."""
    words = list(typed.find_root().obj or ())
    again = typed.command.make_context(typed.info_name, [*words[words.index("undo") + 1 :], *way], parent=typed.parent)
    code: int = typed.command.invoke(again)
    return code


def _of_this_command(typed: click.Context, options: Sequence[str]) -> list[str]:
    """Those options of a run that this command has too; the rules that were named now stand instead of those then."""
    known = {name for one in typed.command.params if isinstance(one, click.Option) for name in one.opts}
    known -= {"--config-dir"} if is_typed("config_dir") else set()
    return [word for pair in _pairs(options) if pair[0] in known for word in pair]


def _pairs(options: Sequence[str]) -> Iterator[Sequence[str]]:
    """Options one by one, each with its value where it has one."""
    places = [place for place, word in enumerate(options) if word.startswith("--")]
    for place, after in pairwise([*places, len(options)]):
        yield options[place:after]
