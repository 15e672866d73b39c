"""Looks at a store for `doctor`, and at who works for others by it; nothing in it is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from memrunbook.core.errors import RunbookError
from memrunbook.core.units import format_duration
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import address, version_of
from memrunbook.state.store.orders import Orders, WorkerSeen
from memrunbook.state.store.switch import switch_of


def inspect_store(state: Path, place: str, password: str, now: float) -> Iterator[Inspection]:
    """Whether it answers, is of this version and lets changes be made; on a server each node that works for others."""
    try:
        where = address(state, place, password)
        problem = version_of(where)
        if problem:
            yield _found("store", "note", problem)
            return
        store = Store.open(state, place, password)
        try:
            switch, workers = switch_of(store), Orders(store).workers()
        finally:
            store.close()
    except RunbookError as error:
        yield _found("store", "missing", str(error), error.hint)
        return
    if switch.holds(now):
        said = f"{store.name}: changes are switched off by {switch.who}"
        yield _found("store", "note", said, "runbook on")
    else:
        yield _found("store", "ok", f"{store.name} answers, its tables are of this version")
    yield from _workers(workers, now)


def _workers(workers: Sequence[WorkerSeen], now: float) -> Iterator[Inspection]:
    """Those that are there; of each node without one the last, unless it has said goodbye."""
    served = {site for worker in workers if worker.there(now) for site in worker.sites}
    for _, of_node in groupby(sorted(workers, key=lambda worker: worker.node), lambda worker: worker.node):
        known = list(of_node)
        there = [worker for worker in known if worker.there(now)]
        newest = max(known, key=lambda worker: worker.beat)
        for worker in there:
            yield _found("worker", "ok", f"{_named(worker)}, {worker.forks} hosts at once")
        if not there and not newest.stopped:
            yield _silent(newest, now, [site for site in newest.sites if site not in served])


def _silent(worker: WorkerSeen, now: float, unserved: Sequence[str]) -> Inspection:
    said = f"{_named(worker)}: not heard of for {format_duration(max(0.0, now - worker.beat))}"
    if not unserved:
        return _found("worker", "note", f"{said}; others take its hosts")
    remedy = f"there: systemctl status runbook-worker, or: runbook worker --site {unserved[0]}"
    return _found("worker", "missing", said, remedy)


def _named(worker: WorkerSeen) -> str:
    return f"{worker.node}, site{'s' * (len(worker.sites) > 1)} {', '.join(worker.sites)}"


def _found(name: str, state: InspectedState, said: str, remedy: str = "") -> Inspection:
    return Inspection(area="state", name=name, state=state, said=said, remedy=remedy)
