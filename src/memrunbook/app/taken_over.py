"""Closes runs of this node that another worker has brought to their end: what is open in them is answered there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from memrunbook.core.errors import RunbookError
from memrunbook.core.run.event import Outcome
from memrunbook.core.run.record import Ended, EndedHost, plain
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.left_open import in_flight
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import Run, runs
from memrunbook.state.store.parts import Parts

CUT_SHORT = frozenset({"interrupted", "unreachable", "unknown"})


def close_taken_over(state: Path, parts: Parts) -> None:
    """Writes into each such run how it ended, and on which node; JournalError where the store does not answer.

    One that a process is at work on is left alone.
    """
    cut = {run.run_id: run for run in runs(state) if _is_cut_short(run)}
    for run_id, (node, outcome) in parts.ended_elsewhere(list(cut)).items() if cut else ():
        with suppress(RunbookError):
            _close(state, cut[run_id], node, outcome)


def _is_cut_short(run: Run) -> bool:
    if run.invoked is None or not run.invoked.part_of or run.state == "running":
        return False
    if run.state != "ended" or run.ended is None:
        return True
    return not run.ended.elsewhere and any(end.outcome in CUT_SHORT for end in run.ended.hosts)


def _close(state: Path, run: Run, node: str, outcome: str) -> None:
    clock = SystemClock()
    ended = tuple(
        EndedHost(
            host=host,
            outcome=msgspec.convert(outcome, Outcome),
            settled=tuple(opened.record for opened in in_flight(run, host).open),
        )
        for host in (run.invoked.hosts if run.invoked else ())
    )
    with RunDirectory.reopen(state, run.run_id, clock.now) as directory:
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=ended, elsewhere=node)))
        directory.end()
