"""Closes the journals of parts that a node lost: they came to their end on another node, which is written down here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from memrunbook.core.errors import RunbookError
from memrunbook.core.run.record import Ended, EndedHost, plain
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.left_open import in_flight
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import Run, runs
from memrunbook.state.store.parts import EndedElsewhere, WorkerParts
from memrunbook.state.witnessed import LedgerWitness

CUT_SHORT = frozenset({"interrupted", "unreachable", "unknown"})


def join(state: Path, parts: WorkerParts, witness: LedgerWitness) -> list[EndedElsewhere]:
    """Ends each run here that was cut off as a part and came to its end elsewhere; which those are.

    What its journal leaves open is settled by that: whoever went on with it has looked. One that a process is at work
    on is left alone. JournalError where journal or store cannot be read.
    """
    cut = {run.run_id: run for run in runs(state) if _is_cut_short(run)}
    ended = parts.ended_elsewhere(sorted(cut)) if cut else []
    return [one for one in ended if _is_closed(state, cut[one.part], one, witness)]


def _is_cut_short(run: Run) -> bool:
    if run.invoked is None or not run.invoked.part_of or run.state == "running":
        return False
    if run.state != "ended" or run.ended is None:
        return True
    return not run.ended.elsewhere and any(end.outcome in CUT_SHORT for end in run.ended.hosts)


def _is_closed(state: Path, run: Run, end: EndedElsewhere, witness: LedgerWitness) -> bool:
    clock = SystemClock()
    hosts = tuple(
        EndedHost(
            host=host,
            outcome=end.outcome,
            settled=tuple(opened.record for opened in in_flight(run, host).open),
        )
        for host in (run.invoked.hosts if run.invoked else ())
    )
    with suppress(RunbookError), RunDirectory.reopen(state, run.run_id, clock.now, witness) as directory:
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=hosts, elsewhere=end.node)))
        directory.end()
        return True
    return False
