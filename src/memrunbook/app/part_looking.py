"""Reads and judges hosts on a worker, for whoever asked; nothing is changed."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial

import msgspec

from memrunbook.app.carried_errors import carried
from memrunbook.app.carried_looks import pack_judged, pack_planned
from memrunbook.app.diagnosing import DiagnoseArguments, diagnose_each
from memrunbook.app.held_up import HeldUp
from memrunbook.app.part_running import WorkerPlace, refuse_here
from memrunbook.app.part_telling import PartTold
from memrunbook.app.planning import PlanArguments, plan_each
from memrunbook.core.errors import HostError, JournalError, Refused, RunbookError
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.core.reading.reached import Reached
from memrunbook.core.run.placed import PlacedLook
from memrunbook.documents.library import is_path
from memrunbook.state.store.parts import TakenPart


def look_at(taken: TakenPart, asked: PlacedLook, told: PartTold, place: WorkerPlace) -> str:
    """Looks at the hosts of a part, and tells of each as soon as it was judged; returns in a word how that ended."""
    try:
        refuse_here(taken.hosts)
        (_plan if asked.runbook else _diagnose)(taken, asked, told, place)
    except JournalError:
        raise
    except RunbookError as error:
        told.end("refused", msgspec.json.encode(carried(error)))
        return "refused"
    if told.stop.hands_on:
        told.now()
        return ""
    told.end("read", b"")
    return "read"


def _diagnose(taken: TakenPart, asked: PlacedLook, told: PartTold, place: WorkerPlace) -> None:
    arguments = DiagnoseArguments(
        hosts=taken.hosts,
        connectors=place.connectors.afresh(),
        library=place.library,
        state=place.state,
        parameters=asked.parameters,
        watch=asked.watch,
        quick=asked.quick,
        history=asked.history,
        store=place.store,
    )
    diagnose_each(arguments, partial(_judged, asked, told, place.node), told, stop=told.stop)


def _judged(asked: PlacedLook, told: PartTold, node: str, judged: Judged, off: str) -> None:
    judged = replace(judged, reached=_from(node, judged.reached))
    told.say(_line(judged.reached.name, pack_judged(judged, off, full=asked.full, printed=asked.printed)))


def _plan(taken: TakenPart, asked: PlacedLook, told: PartTold, place: WorkerPlace) -> None:
    if is_path(asked.runbook):
        raise Refused("a runbook is found by its name here, and by no path that somebody else says")
    digest = place.library.runbook(asked.runbook, asked.parameters).digest
    if digest != asked.digest:
        here, wanted = f"sha256:{digest[:8]} on {place.node}", f"sha256:{asked.digest[:8]}"
        why = f"the runbook {asked.runbook} is {here}, and {wanted} was asked for"
        raise Refused(why, hint="give every node the same files")
    arguments = PlanArguments(
        runbook=asked.runbook,
        hosts=taken.hosts,
        connectors=place.connectors.afresh(),
        library=place.library,
        state=place.state,
        parameters=asked.parameters,
        watch=asked.watch,
        history=asked.history,
        actor=asked.actor,
        waits=asked.waits,
        besides=asked.besides,
        store=place.store,
    )
    plan_each(arguments, partial(_planned, asked, told, place.node), told, stop=told.stop)


def _planned(asked: PlacedLook, told: PartTold, node: str, planned: Planned, held: HeldUp) -> None:
    planned = replace(planned, reached=_from(node, planned.reached))
    told.say(_line(planned.reached.name, pack_planned(planned, held, full=asked.full)))


def _from(node: str, reached: Reached) -> Reached:
    """What helps a host that was not reached is done on the node that did not reach it: read elsewhere, it names it."""
    if not isinstance(reached.error, HostError) or not reached.error.hint:
        return reached
    error = copy(reached.error)
    error.hint = f"on {node}: {error.hint}"
    return replace(reached, error=error)


def _line(host: str, look: bytes) -> bytes:
    return b'{"host":%b,"look":%b}' % (msgspec.json.encode(host), look)
