"""runbook worker: a control node among several, which carries out what others have ordered."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.app.working import WorkerTold
from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.formats import format_of
from memrunbook.cli.next_command import way_options
from memrunbook.cli.options import CHOSEN, LIBRARY, REACH, STATE, STORE, OptionGroup, OutputOptions, common, seconds
from memrunbook.cli.streams import while_heard
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.core.run.batches import few
from memrunbook.core.run.placed import PlacedRun
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.part_running import WorkerPlace
    from memrunbook.state.store.parts import EndedElsewhere, TakenPart

WAY = {name: option for name, option in REACH.items() if name not in CHOSEN and name not in ("inventory", "no_input")}
NOBODY = partial(Targets, host=(), limit=(), inventory=(), transport="ssh", tag=(), no_input=True)
LEAST_SILENCE = 3.0
"""Seconds."""
TARGETS = OptionGroup("targets", NOBODY, WAY)


@click.command()
@click.option("--site", "sites", multiple=True, metavar="NAME", help="Take the hosts of this site. Repeatable.")
@click.option("--node", metavar="NAME", help="What this control node is called; default: the machine's name.")
@click.option(
    "--stalled-after",
    default="30s",
    metavar="TIME",
    show_default=True,
    help="After such a silence of another worker its runs are gone on with.",
)
@common(TARGETS, LIBRARY, STATE, STORE)
def command(
    sites: tuple[str, ...],
    node: str | None,
    stalled_after: str,
    targets: Targets,
    library: Library,
    state: Path,
    store: str,
) -> int:
    """Carry out what other control nodes order with --distribute, for the hosts of its sites, until it is stopped.

    Hosts are reached from here, by the keys and files of this node; gates are asked where the run was ordered. The
    first Ctrl-C, or SIGTERM, takes nothing new and waits for what is under way; the second one hands that on to
    another worker.
    """
    from memrunbook.app.part_running import WorkerPlace
    from memrunbook.core.run.placed import ANYWHERE

    talk = Conversation(OutputOptions(format_of("text")), targets)
    name = node or os.uname().nodename
    way, options = talk.connectors(), way_options()
    place = WorkerPlace(node=name, library=library, state=state, store=store, connectors=way, options=options)
    silence = seconds(stalled_after, "--stalled-after") or 0.0
    if silence < LEAST_SILENCE:
        why = f"{stalled_after} is too short: workers give a sign of life each second"
        raise UsageError(why, where="--stalled-after", hint=f"write {LEAST_SILENCE:.0f}s or more")
    return _work(place, sites or (ANYWHERE,), silence)


def _work(place: WorkerPlace, sites: tuple[str, ...], stalled_after: float) -> int:
    from contextlib import closing
    from dataclasses import replace

    from memrunbook.app.stored import Stored, settings_of
    from memrunbook.app.witnessing import witness_of
    from memrunbook.app.working import PartWorker, worker_id
    from memrunbook.cli.interrupts import finish_then_hand_on
    from memrunbook.cli.remarks import Remarks
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.state.paths import prepare
    from memrunbook.state.store.parts import WorkerParts

    stored = Stored(prepare(place.state), settings_of(place.library), place.store)
    jobs, clock = stored.jobs(stalled_after), SystemClock()
    with closing(stored.open()) as store:
        witness = witness_of(stored, store, Remarks("auto"), clock, place.node)
        worker = PartWorker(
            place=replace(place, witness=witness),
            sites=sites,
            parts=WorkerParts(store, worker_id(place.node), place.node),
            jobs=jobs,
            told=_Log(),
            stop=threading.Event(),
            patience=stored.patience,
        )
        many = f"site{'s' * (len(sites) > 1)} {', '.join(sites)}"
        _say(f"{place.node} takes what is ordered for {many}, {place.connectors.forks} hosts at once.")
        with finish_then_hand_on(worker.stop, worker.hurry, _say):
            worker.work()
    _say(f"{place.node} has stopped.")
    return exit_codes.OK


class _Log(WorkerTold):
    """A line on stderr for each thing that a worker does."""

    def begun(self, taken: TakenPart) -> None:
        again = f", attempt {taken.attempt}" if taken.attempt > 1 else ""
        asked = taken.placed
        by = asked.invoked.actor if isinstance(asked, PlacedRun) else asked.actor
        what = asked.invoked.runbook if isinstance(asked, PlacedRun) else "a look"
        _say(f"{taken.id} {_hosts(taken)}: {what}, for {by.user}@{by.control_node} ({taken.order}){again}")

    def ended(self, taken: TakenPart, outcome: str) -> None:
        _say(f"{taken.id} {_hosts(taken)}: {outcome}")

    def put_back(self, part: str, why: str) -> None:
        _say(f"{part}: put back: {why}")

    def joined(self, end: EndedElsewhere) -> None:
        _say(f"{end.part} was cut off here, and has come to its end on {end.node}: {end.outcome}")

    def away(self, why: str) -> None:
        _say(f"the store does not answer: {why}" if why else "the store answers again")


def _hosts(taken: TakenPart) -> str:
    return few([host.name for host in taken.hosts])


def _say(words: str) -> None:
    while_heard(sys.stderr.write)(f"{words}\n")
    while_heard(sys.stderr.flush)()
