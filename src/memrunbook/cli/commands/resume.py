"""runbook resume: go on with a run that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli.commands.run import ALLOW, carry_out
from memrunbook.cli.completing import complete_runs
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT, way_to
from memrunbook.cli.naming import ruled
from memrunbook.cli.next_command import begun_words
from memrunbook.cli.options import (
    CHOSEN,
    LIBRARY,
    REACH,
    STATE,
    STORE,
    GateOptions,
    OptionGroup,
    OutputOptions,
    common,
    gates,
)
from memrunbook.cli.recap import Again
from memrunbook.cli.rolling import RETRY
from memrunbook.cli.targets import Targets
from memrunbook.core.run.batches import Rollout
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.run.record import Order

# Which hosts and what they are stands in the run; how they are reached may be another way by now.
WAY = {name: option for name, option in REACH.items() if name not in CHOSEN}
MERGED = "memrunbook.resume.merged"
TARGETS = OptionGroup("targets", partial(Targets, host=(), transport="ssh", tag=()), WAY)


@click.command()
@click.argument("run", metavar="RUN", shell_complete=complete_runs)
@common(gates("[again:]ACTION[:TARGET]", ALLOW), TARGETS, RETRY, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(
    run: str,
    targets: Targets,
    output: OutputOptions,
    gate: GateOptions,
    library: Library,
    state: Path,
    store: str,
    rollout: Rollout,
) -> int:
    """Go on with a run that was cut off or stopped; RUN is its id, or: last, the newest of these.

    What was open is looked at first, and never just repeated; then the steps that have not ended are run behind their
    gates. Hosts, runbook and parameters are those of the run.
    """
    from memrunbook.app import ResumeArguments, ordered, resumable, resume
    from memrunbook.app.allowing import checked
    from memrunbook.app.reporting import is_distributed

    typed, found = click.get_current_context(), resumable(state, run)
    order = ordered(state, found)
    if order.options and not typed.meta.get(MERGED):
        return _with_its_way(typed, order)
    library, talk = ruled(library, targets), Conversation(output, targets)
    elsewhere = is_distributed(state, found)
    _say_which(talk, state, run, found)
    arguments = ResumeArguments(
        run=found,
        connectors=way_to(talk, distribute=elsewhere),
        library=library,
        state=state,
        store=store,
        reason=gate.reason,
        command=" ".join(typed.find_root().obj or ()),
        break_lock=gate.break_lock,
        consents=checked(gate.allow, library.config().freeze, gate.reason),
        retry_file=rollout.retry_file,
    )
    again, who = _again(state, found, order), arguments.actor.user
    return carry_out(
        lambda approver, told: resume(arguments, approver, told, stop=talk.stop), talk, arguments.consents,
        yes=gate.yes, hosts=order.hosts, again=again, who=who, library=library, rollout=order.rollout,
    )  # fmt: skip


def _say_which(talk: Conversation, state: Path, run: str, found: str) -> None:
    """Which run the last one is, where newer ones have ended."""
    from memrunbook.app.reporting import LAST, list_runs

    if run == LAST and list_runs(state).runs[0].run_id != found:
        words = f"going on with run {found}, the last one that was cut off or stopped"
        talk.note(words, "runbook runs lists the newer")


def _again(state: Path, run: str, order: Order) -> Again | None:
    """The run as it was begun; None for a saved plan: what was approved is carried out once."""
    from memrunbook.app.reporting import find_run

    invoked = find_run(state, run).invoked
    if invoked is None or invoked.applied is not None:
        return None
    words = [*begun_words(order), *(["--distribute"] if invoked.parts else [])]
    return Again(order.runbook, words, order.rollout.retry_file)


def _with_its_way(typed: click.Context, order: Order) -> int:
    """The same command, with the options that the run was begun with; an option that was typed now stands instead."""
    typed.meta[MERGED] = True
    words = list(typed.find_root().obj or ())
    now = words[words.index("resume") + 1 :]
    merged = typed.command.make_context(typed.info_name, [*_others(typed, order), *now], parent=typed.parent)
    code: int = typed.command.invoke(merged)
    return code


def _others(typed: click.Context, order: Order) -> Iterator[str]:
    """The words of the options that were given then, and are not given now."""
    from click.core import ParameterSource

    given = [
        name
        for option in typed.command.params
        if option.name and typed.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        for name in option.opts
    ]
    wanted = True
    for word in order.options:
        wanted = word not in given if word.startswith("--") else wanted
        if wanted:
            yield word
