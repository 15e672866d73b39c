"""runbook run: the plan, then step by step behind its gates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runbooks
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import DISTRIBUTE, HOST_OUTPUT, OWN_WAY, way_to
from memrunbook.cli.next_command import way_options
from memrunbook.cli.options import (
    HISTORY,
    HOSTS,
    LIBRARY,
    PARAMETERS,
    STATE,
    STORE,
    WATCH,
    GateOptions,
    OutputOptions,
    common,
    gates,
)
from memrunbook.cli.reasons import reason_for, unused_page
from memrunbook.cli.recap import Again, show_end
from memrunbook.cli.reply import Reply
from memrunbook.cli.rolling import ROLLOUT, kept_true, with_defaults
from memrunbook.cli.targets import Targets, typed
from memrunbook.core.run.batches import Rollout, batches
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app import Connectors, RunArguments, RunResult
    from memrunbook.app.notice import Notice
    from memrunbook.cli.narration import Narration
    from memrunbook.core.host import Host
    from memrunbook.core.plan.consents import Consents
    from memrunbook.core.run.report import HostReport
    from memrunbook.documents.printed.run import RunSummary
    from memrunbook.runtime.ports import Approver
    from memrunbook.ui.block import Block


ALLOW = "Consent to exactly this; freeze:NAME goes through a freeze, with --reason. Repeatable."


@click.command()
@click.argument("name", metavar="RUNBOOK", shell_complete=complete_runbooks)
@click.option("--dry-run", is_flag=True, help="The same as: runbook plan.")
@common(
    gates("[again:]ACTION[:TARGET]", ALLOW),
    HOSTS,
    ROLLOUT,
    WATCH,
    PARAMETERS,
    LIBRARY,
    STATE,
    STORE,
    HISTORY,
    DISTRIBUTE,
    HOST_OUTPUT,
)
def command(
    name: str, targets: Targets, output: OutputOptions, gate: GateOptions, library: Library, state: Path, store: str,
    parameters: dict[str, str], watch: float | None, rollout: Rollout, *,
    dry_run: bool, history: bool, distribute: bool,
) -> int:  # fmt: skip
    """Carry out RUNBOOK on hosts: each change behind a gate, proven, and taken back where it did not help."""
    from memrunbook.app import RunArguments
    from memrunbook.app.allowing import checked

    config = library.config()
    consents = checked(gate.allow, config.freeze, gate.reason)
    talk = Conversation(output, targets)
    hosts, connectors = _reached("" if dry_run else rollout.retry_file, talk, distribute=distribute)
    arguments = RunArguments(
        runbook=name,
        hosts=hosts,
        connectors=connectors,
        library=library,
        state=state,
        store=store,
        parameters=parameters,
        watch=watch,
        reason=gate.reason if dry_run else reason_for(config, gate.reason, talk),
        command=" ".join(click.get_current_context().find_root().obj or ()),
        options=way_options(OWN_WAY if distribute else ()),
        break_lock=gate.break_lock,
        consents=consents,
        rollout=with_defaults(rollout, config.defaults),
        history=history,
        distribute=distribute,
    )
    return _plan(arguments, talk) if dry_run else _run(arguments, talk, yes=gate.yes)


def _reached(retry_file: str, talk: Conversation, *, distribute: bool) -> tuple[tuple[Host, ...], Connectors]:
    """The hosts and how they are reached; the retry file tells of no earlier run from now on."""
    with kept_true(retry_file, talk.targets) as known:
        known.extend(talk.hosts)
        return tuple(known), way_to(talk, distribute=distribute)


def _plan(arguments: RunArguments, talk: Conversation) -> int:
    from memrunbook.app import PlanArguments
    from memrunbook.cli.commands.plan import show_plan

    if unheeded := ", ".join(f"--{name.replace('_', '-')}" for name in ROLLOUT.options if typed(name)):
        what = f"a dry run begins no host and writes no file; not heeded: {unheeded}"
        talk.note(what, "leave --dry-run out, and they count")
    planned = PlanArguments(
        runbook=arguments.runbook,
        hosts=arguments.hosts,
        connectors=arguments.connectors,
        library=arguments.library,
        state=arguments.state,
        parameters=arguments.parameters,
        watch=arguments.watch,
        history=arguments.history,
        store=arguments.store,
        distribute=arguments.distribute,
        full=talk.output.format.CONVERSES,
    )
    return show_plan(planned, talk)


def _run(arguments: RunArguments, talk: Conversation, *, yes: bool) -> int:
    from memrunbook.app import run

    return carry_out(
        lambda approver, told: run(arguments, approver, told, stop=talk.stop),
        talk,
        arguments.consents,
        yes=yes,
        hosts=arguments.hosts,
        again=Again(arguments.runbook),
        who=arguments.actor.user,
        library=arguments.library,
        rollout=arguments.rollout,
    )


def carry_out(
    does: Callable[[Approver, Notice], RunResult],
    talk: Conversation,
    consents: Consents,
    *,
    yes: bool,
    hosts: Sequence[Host],
    again: Again | None,
    who: str,
    library: Library,
    rollout: Rollout,
) -> int:
    """Carries out what `does`, behind the gates, and shows how it ended, and how it is done `again` where it may be."""
    from memrunbook.cli.interrupts import finish_then_stop
    from memrunbook.cli.narration import Narration

    with Narration(talk, hosts) as told, finish_then_stop(talk.stop, told.in_flight, told.stopping):
        result = does(approver_of(talk, consents, hosts, who, told, yes=yes, rollout=rollout), told)
    pages = partial(_pages, result, again, hosts, library, talk.output)
    return show_end(talk.output, Reply(exit_codes.of_run(result), lambda: _document(result), pages), result)


def approver_of(
    talk: Conversation,
    consents: Consents,
    hosts: Sequence[Host],
    who: str,
    told: Narration,
    *,
    yes: bool,
    rollout: Rollout,
) -> Approver:
    """Who answers at the gates: the consent that was given, and a person where there is a terminal.

    What is `told` meanwhile is told above and below a question, not into it.
    """
    from memrunbook.cli.keyboard import Keyboard, Unhurried
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.approve import ConsentThenAsk, TerminalApprover, UnattendedApprover
    from memrunbook.ui.hosts import about
    from memrunbook.ui.screen import Screen
    from memrunbook.ui.together import Together

    now = SystemClock(talk.stop).now
    consent = UnattendedApprover(yes, consents, now, who)
    if not talk.interactive:
        return consent
    told.asks = lambda host, question: consent.approve(host, question).answer != "yes"
    keyboard = Keyboard(talk.stop)
    names, said = tuple(host.name for host in hosts), {host.name: about(host) for host in hosts}
    together = Together(batches(names, rollout.sizes), told.over)
    terminal = TerminalApprover(Screen(talk.output.color, sys.stderr), keyboard.read, now, who, names, said, together)
    return ConsentThenAsk(consent, Unhurried(terminal, keyboard, told.paused))


def _document(result: RunResult) -> RunSummary:
    from memrunbook.documents.printed.run import run_summary

    return run_summary(result.run_id, result.reports, result.saved, result.unused)


def _pages(
    result: RunResult, again: Again | None, hosts: Sequence[Host], library: Library, output: OutputOptions
) -> Iterator[list[Block]]:
    from memrunbook.cli.recap import recap_page
    from memrunbook.ui.recap import in_full
    from memrunbook.ui.report import report_view

    shown = in_full(result.reports, verbose=output.verbose)
    for report, host in compress(zip(result.reports, hosts, strict=True), shown):
        yield [
            *report_view(report, result.run_id, alone=len(result.reports) == 1),
            *_next(again, report, host, result, library),
        ]
    if len(result.reports) > 1:
        yield recap_page(result, output, again, hosts)
    yield from unused_page(result.unused)


def _next(again: Again | None, report: HostReport, host: Host, result: RunResult, library: Library) -> list[Block]:
    """How to allow what a gate refused, or to have it approved, and to carry out the plan as it was."""
    from memrunbook.app.ending import refused_changes
    from memrunbook.cli.saved_plan import people, saved_lines
    from memrunbook.ui.approve import AT_A_TERMINAL
    from memrunbook.ui.block import line, to_type

    consents = [word for consent in refused_changes(report) for word in ("--allow", consent)]
    if not consents or report.begun is None or report.hint:  # the run itself was refused: its hint says what helps
        return []
    if again is not None and any(step.why.endswith(AT_A_TERMINAL) for step in report.steps):
        return [line("To go on, at a terminal:  ", to_type(again.on(host)))]
    needed = people(library, [report.begun.plan])
    allow = [line("To allow it:  ", to_type(again.on(host, *consents)))] if again else []
    saved = result.saved.get(report.host)
    return [*([] if needed else allow), *(saved_lines(saved, needed) if saved else [])]
