"""Brings a part of a run to its end on a worker: begins it, or goes on with what an earlier attempt left, wherever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from memrunbook import catalog
from memrunbook.app.asked_elsewhere import AskedElsewhere
from memrunbook.app.connectors import Connectors
from memrunbook.app.earlier import Earlier, earlier, is_over
from memrunbook.app.gates import OneAtATime
from memrunbook.app.handling import handled_by_all
from memrunbook.app.invoking import begin, invoked_by
from memrunbook.app.part_telling import PartTold
from memrunbook.app.reading import REPLAY
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.sealing import to_its_end
from memrunbook.app.stored import Stored, settings_of
from memrunbook.app.tuning import tuned
from memrunbook.app.under_way import Running
from memrunbook.core.errors import JournalError, Refused, RunbookError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.flight import proven
from memrunbook.core.run.placed import PART_SAID, PartResult, PlacedRun
from memrunbook.core.run.record import Actor, Order, Recorded, Resumed, plain
from memrunbook.core.run.report import fold
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library, is_path
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import HIDDEN
from memrunbook.state.left_open import abandoned, left_open
from memrunbook.state.names import file_name
from memrunbook.state.paths import prepare
from memrunbook.state.run_directory import RUN, RunDirectory, run_path
from memrunbook.state.runs import records, run_of, runs
from memrunbook.state.store.parts import TakenPart
from memrunbook.state.witnessed import UNWITNESSED, LedgerWitness
from memrunbook.version import __version__

AnyRecord = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class WorkerPlace:
    """Where a worker works: its node's name, files, state, store, its ways to hosts, and who hears of its ledger.

    `options` are the words that say how hosts are reached.
    """

    node: str
    library: Library
    state: Path
    store: str
    connectors: Connectors
    witness: LedgerWitness = UNWITNESSED
    options: tuple[str, ...] = ()


def bring_to_its_end(taken: TakenPart, run: PlacedRun, told: PartTold, place: WorkerPlace) -> str:
    """Runs a part to its end, tells it, and returns the outcome; empty where it was handed on before that.

    JournalError where journal or store fail: then somebody else goes on.
    """
    try:
        result, used = _run(taken, run, told, place)
        outcome: str = result.reports[0].outcome
    except JournalError:
        raise
    except RunbookError as error:  # nothing was begun
        outcome, used = "refused", ()
        finished = RunFinished("refused", f"on {place.node}: {error}", hint=error.hint)
        told.recorded(plain(Recorded(finished)))
    if outcome == "interrupted" and told.stop.hands_on:
        told.now()
        return ""
    told.end(outcome, msgspec.json.encode(PartResult(used)))
    return outcome


def given_up(taken: TakenPart, told: PartTold) -> str:
    """Ends a part that nobody brings to its end; what was begun of it stays open."""
    why = f"given up after {taken.attempt - 1} attempts, none of which came to its end"
    told.recorded(plain(Recorded(RunFinished("unknown", why, hint="see what the workers say of it"))))
    told.end("unknown", b"")
    return "unknown"


def refuse_here(hosts: Iterable[Host]) -> None:
    """Refused for a host that is this node itself, or a file of it: that is nothing that others may order."""
    for host in hosts:
        if host.transport in (LOCAL, REPLAY):
            raise Refused(f"{host.name} is reached by the node alone that it is on ({host.transport})")


def _run(taken: TakenPart, run: PlacedRun, told: PartTold, place: WorkerPlace) -> tuple[RunResult, tuple[str, ...]]:
    refuse_here(taken.hosts)
    order = run.invoked.order
    if order is None:
        raise Refused("what was ordered is not known")
    runbook, config, policy = _runbook(run, order, place.library), settings_of(place.library), place.library.policy()
    (host,), own = tuned(place.library, order.runbook, runbook, order.parameters, taken.hosts)
    arguments = _arguments(taken, run, order, place)
    arguments.connectors.check([host])
    state, known = prepare(place.state), runs(place.state)
    with (
        closing(Stored(state, config, place.store).open()) as store,
        _directory(taken, arguments, runbook, place.witness) as directory,
    ):
        part = _earlier(taken, told, place)  # an earlier attempt that was here writes no more by now
        left = tuple(opened for opened in left_open(state, known) if opened.run != taken.id)
        running = Running(
            arguments=arguments,
            runbook=runbook,
            policy=policy,
            config=config,
            directory=directory,
            approver=OneAtATime(AskedElsewhere(told), told.stop),
            notice=told,
            stop=told.stop,
            handled=handled_by_all(state, known, store).get(runbook.name, {}),
            left=left,
            abandoned=abandoned(known, left) if arguments.unblocks else frozenset(),
            store=store,
            parts={host.name: part},
            own=own,
            elsewhere=True,
            keeps_refused=lambda: not told.attended,  # whoever ordered it does
        )
        over = is_over(part)
        ended = [fold(host.name, part.events)] if over else []
        return to_its_end(running, [] if over else [host], ended), arguments.consents.used


def _runbook(run: PlacedRun, order: Order, library: Library) -> Runbook:
    """The runbook as it is here; Refused where it is not the one that was ordered."""
    if HIDDEN in " ".join(order.parameters.values()):
        why = "a parameter of the run is a secret, which is not kept for others"
        raise Refused(why, hint="run it without --distribute")
    if is_path(order.runbook):
        raise Refused("a runbook is found by its name here, and by no path that somebody else says")
    runbook = library.runbook(order.runbook, order.parameters)
    wanted = run.invoked.runbook_digest
    if runbook.digest != wanted:
        why = f"the runbook {order.runbook} is sha256:{runbook.digest[:8]} here, and sha256:{wanted[:8]} was ordered"
        raise Refused(why, hint="give every node the same files")
    return runbook


def _arguments(taken: TakenPart, run: PlacedRun, order: Order, place: WorkerPlace) -> RunArguments:
    actor = run.invoked.actor
    return RunArguments(
        runbook=order.runbook,
        hosts=taken.hosts,
        connectors=place.connectors.afresh(),
        library=place.library,
        state=place.state,
        store=place.store,
        parameters=order.parameters,
        watch=order.watch,
        reason=run.invoked.reason,
        command=run.invoked.command,
        options=place.options,
        break_lock=run.break_lock,
        actor=structs.replace(actor, control_node=place.node),
        consents=Consents(run.consents),
        history=run.history,
        waits=run.waits,
        unblocks=run.unblocks,
        lock_patience=run.lock_patience,
        asked=_who(actor),
        part_of=taken.order,
        of_hosts=run.hosts,
    )


def _who(actor: Actor) -> str:
    return f"{actor.user}@{actor.control_node}"


def _directory(taken: TakenPart, arguments: RunArguments, runbook: Runbook, witness: LedgerWitness) -> RunDirectory:
    """The directory of the part's run: a new one, or the one that an earlier attempt made here."""
    clock = SystemClock()
    if (run_path(arguments.state, taken.id) / RUN).exists():
        directory = RunDirectory.reopen(arguments.state, taken.id, clock.now, witness)
    else:
        directory = RunDirectory.create(arguments.state, taken.id, clock.now, witness)
        begin(directory, arguments, invoked_by(arguments, runbook, clock))
    if taken.node:
        where = "here" if taken.node == arguments.actor.control_node else f"on {taken.node}"
        again = Resumed(
            time=clock.now().isoformat(),
            engine=__version__,
            actor=arguments.actor,
            command=arguments.command,
            reason=f"it was cut off {where}: this is attempt {taken.attempt}",
        )
        directory.run.append(plain(again))
    return directory


def _earlier(taken: TakenPart, told: PartTold, place: WorkerPlace) -> Earlier:
    """What all attempts before have done; what the last of them wrote down here and did not tell is told now."""
    known, untold = done_before(taken, place)
    for record in untold:
        told.recorded(record)
    readings = {name: fact.reading for name, fact in catalog.facts().items()}
    return earlier(taken.id, [*known, *untold], readings) if known or untold else Earlier()


def done_before(taken: TakenPart, place: WorkerPlace) -> tuple[list[AnyRecord], list[AnyRecord]]:
    """The records of all attempts before: as they were told, and what this node's journal has of the last one beside.

    That is what stands behind the last record that was told: where it is another node's, that one has looked meanwhile
    at what was done here, and has told what came of it. (What began a change was always told; of an attempt here behind
    that one, which told nothing, no more than readings and answers can be left out.)
    """
    told: list[AnyRecord] = [
        record for record in map(msgspec.json.decode, taken.told) if record.get("event") != PART_SAID
    ]
    if taken.node != place.node or not (run_path(place.state, taken.id) / RUN).exists():
        return told, []
    kept = _kept(taken, place.state)
    last = next((record["hash"] for record in reversed(told) if record.get("hash")), "")
    begin = next((n for n, record in enumerate(kept, 1) if record.get("hash") == last), len(kept)) if last else 0
    return told, [{name: value for name, value in one.items() if name not in LINKS} for one in kept[begin:]]


LINKS = ("seq", "prev")
"""What links a record to the one before it in its journal, and is not told."""


def _kept(taken: TakenPart, state: Path) -> list[AnyRecord]:
    host = taken.hosts[0].name
    name = f"{file_name(host)}.jsonl"
    sealed = run_of(state, taken.id).sealed.get(name, 0)
    return list(proven(records(state, taken.id, host), sealed))
