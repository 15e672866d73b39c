"""What was done: the runs of a state directory, and what one of them did on each host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.run.cut_off import without_endings
from memrunbook.core.run.event import Event, RunFinished
from memrunbook.core.run.flight import OpenStep, flight
from memrunbook.core.run.record import EVENT, EndedHost, Recorded, decode
from memrunbook.core.run.report import HostReport, fold
from memrunbook.state.audit import removed
from memrunbook.state.left_open import in_flight, left_open
from memrunbook.state.runs import Run, records, run_of, runs
from memrunbook.state.taken_back import taken_back_since
from memrunbook.state.told import ToldHost, told_of_hosts

LAST = "last"
SECOND = len("20261122T094107")
MOST = 5


@dataclass(frozen=True)
class ReportResult:
    """A run's id, a report for each of its hosts, and the steps that it left open.

    `taken_back` is, by host and step, the run of `undo` that took it back since.
    """

    run_id: str
    reports: tuple[HostReport, ...]
    open: tuple[OpenStep, ...] = ()
    taken_back: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class RunsResult:
    """The runs of a state directory, the newest first, and the steps that they left open."""

    runs: tuple[Run, ...]
    open: tuple[OpenStep, ...]


def list_runs(state: Path) -> RunsResult:
    """The runs of a state directory, and what is open."""
    found = runs(state)
    return RunsResult(tuple(found), left_open(state, found))


def find_run(state: Path, run: str, listed: Sequence[Run] | None = None) -> Run:
    """One run by its id, or "last"; `listed` are the runs, where they are known.

    The beginning of an id is enough where it says the second and no other run begins so. UsageError where there is
    none, JournalError for one that the ledger knows and that was removed.
    """
    known = {found.run_id: found for found in (runs(state) if listed is None else listed)}
    gone = removed(state) if run == LAST or run not in known else []
    if run in gone or (run == LAST and gone and gone[-1] > next(iter(known), "")):
        raise _removed(state, run if run in gone else gone[-1])
    if not known:
        raise UsageError("there are no runs yet", where=str(state), hint="--state-dir names another place")
    run_id = next(iter(known)) if run == LAST else run
    found = [run_id] if run_id in known else [one for one in known if run and one.startswith(run)]
    if len(found) != 1 or (len(run_id) < SECOND and run != LAST):
        raise _not_found(state, run, found)
    return known[found[0]]


def _removed(state: Path, run: str) -> JournalError:
    hint = "restore it from a backup; runbook audit verify lists what else is missing"
    where = str(state / "runs" / run)
    return JournalError("the run is in the ledger, its directory is missing", where=where, hint=hint)


def _not_found(state: Path, run: str, found: Sequence[str]) -> UsageError:
    named = ", ".join(found[:MOST]) + (f" and {len(found) - MOST} more" if len(found) > MOST else "")
    why = f"{len(found)} runs begin with {run!r}" if len(found) > 1 else f"there is no run {run!r} in {state}"
    return UsageError(why, hint=f"did you mean: {named}" if named else "runbook runs lists them")


def is_distributed(state: Path, run: str) -> bool:
    """True for a run that workers carry out."""
    invoked = run_of(state, run).invoked
    return invoked is not None and bool(invoked.parts)


def report(state: Path, run: str) -> ReportResult:
    """What a run (an id, or "last") did; UsageError where there is none, JournalError where it cannot be read."""
    known = runs(state)
    found = find_run(state, run, known)
    left = [opened for opened in left_open(state, known) if opened.run == found.run_id]
    reports = (_reported(state, found, host, [one for one in left if one.host == host]) for host in found.hosts)
    return ReportResult(found.run_id, tuple(reports), tuple(left), taken_back_since(state, found.run_id))


def _reported(state: Path, found: Run, host: str, left: Sequence[OpenStep]) -> HostReport:
    if found.invoked is not None and (part := found.invoked.parts.get(host)):
        return _elsewhere(found, host, part)
    events = events_of(without_endings(records(state, found.run_id, host)))
    if (went_on := _went_on(found, host)) is not None:
        return fold(host, [*events, went_on], left=left)
    if found.state == "running":
        return fold(host, events, under_way=in_flight(found, host).open, running=True)
    return fold(host, events, left=left)


def _elsewhere(found: Run, host: str, part: str) -> HostReport:
    """What a worker did, as far as it was told here; else how it ended, and where it is written down."""
    told = told_of_hosts(found.path).get(host, ToldHost(records=[]))
    end = next((one for one in found.ended.hosts if one.host == host), None) if found.ended else None
    node = told.node or (end.node if end else "")
    events = events_of(without_endings(told.records))
    if not any(isinstance(event, RunFinished) for event in events) and found.state != "running":
        events.append(_untold(found, end, part, node))
    going = found.state == "running"
    report = fold(host, events, running=going, under_way=flight(told.records).open if going else ())
    return msgspec.structs.replace(report, node=node, part=part if node and told.journaled else "")


def _untold(found: Run, end: EndedHost | None, part: str, node: str) -> RunFinished:
    """The end of a host whose worker has told none."""
    if end is not None and not node:
        return RunFinished(end.outcome, "no worker had begun it")
    if end is not None and found.state == "ended":
        return RunFinished(end.outcome, f"it is written down on {node}", hint=f"there: report {part}")
    why = f"{node} was at it when" if node else "no worker had been heard of when"
    hint = f"runbook resume {found.run_id} follows it, and queues what was not begun"
    return RunFinished("interrupted", f"{why} whoever ordered it was cut off", hint=hint)


def _went_on(found: Run, host: str) -> RunFinished | None:
    """The end of a part that another node has taken over; None for any other."""
    elsewhere = found.ended.elsewhere if found.ended is not None else ""
    end = next((one for one in found.ended.hosts if one.host == host), None) if found.ended and elsewhere else None
    if end is None:
        return None
    why = f"it was cut off here; {elsewhere} went on with it, and brought it to its end"
    return RunFinished(end.outcome, why, hint=f"there: report {found.run_id}")


def events_of(told: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The events among the records of a host's journal; JournalError for one that this version cannot read."""
    recorded = (record for record in told if record.get(EVENT) == Recorded.__struct_config__.tag)
    try:
        return [one.record for one in (decode(record, {}) for record in recorded) if isinstance(one, Recorded)]
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the journal holds an event that this version cannot read: {error}",
            hint="runbook audit verify says whether the journal is intact",
        ) from None
