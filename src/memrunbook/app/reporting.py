"""What was done: the runs of a state directory, and what one of them did on each host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.run.event import Event
from memrunbook.core.run.record import EVENT, Recorded, decode
from memrunbook.core.run.report import HostReport, fold
from memrunbook.state.runs import Run, records, runs

LAST = "last"


@dataclass(frozen=True)
class ReportResult:
    """A run's id and a report for each of its hosts."""

    run_id: str
    reports: tuple[HostReport, ...]


def list_runs(state: Path) -> list[Run]:
    """The runs of a state directory, the newest first."""
    return runs(state)


def find_run(state: Path, run: str) -> Run:
    """One run by its id, or "last"; UsageError where there is none."""
    known = {found.run_id: found for found in runs(state)}
    if not known:
        raise UsageError("there are no runs yet", where=str(state), hint="--state-dir names another place")
    run_id = next(iter(known)) if run == LAST else run
    if run_id not in known:
        raise UsageError(f"there is no run {run!r} in {state}", hint="runbook runs lists them")
    return known[run_id]


def report(state: Path, run: str) -> ReportResult:
    """What a run (an id, or "last") did; UsageError where there is none, JournalError where it cannot be read."""
    found = find_run(state, run)
    running = found.state == "running"
    reports = [fold(host, _events(state, found.run_id, host), running=running) for host in found.hosts]
    return ReportResult(found.run_id, tuple(reports))


def _events(state: Path, run_id: str, host: str) -> list[Event]:
    told = (record for record in records(state, run_id, host) if record.get(EVENT) == Recorded.__struct_config__.tag)
    try:
        return [one.record for one in (decode(record, {}) for record in told) if isinstance(one, Recorded)]
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the journal holds an event that this version cannot read: {error}",
            hint="runbook audit verify says whether the journal is intact",
        ) from None
