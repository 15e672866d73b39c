"""Closes the journals of parts that a node lost: they came to their end on another node, which is written down here."""

from __future__ import annotations

from pathlib import Path

from memrunbook.core.run.record import Ended, EndedHost, plain
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.left_open import in_flight
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import Run, runs
from memrunbook.state.store.parts import EndedElsewhere, Parts
from memrunbook.state.witnessed import LedgerWitness


def join(state: Path, parts: Parts, witness: LedgerWitness) -> list[EndedElsewhere]:
    """Ends each run here that was cut off as a part and came to its end elsewhere; which those are.

    What its journal leaves open is settled by that: whoever went on with it has looked. JournalError where journal or
    store cannot be read or written.
    """
    cut = {run.run_id: run for run in runs(state) if _was_cut(run)} if state.is_dir() else {}
    ended = parts.ended_elsewhere(sorted(cut))
    for one in ended:
        _close(state, cut[one.part], one, witness)
    return ended


def _was_cut(run: Run) -> bool:
    return run.state == "interrupted" and run.invoked is not None and bool(run.invoked.part_of)


def _close(state: Path, run: Run, end: EndedElsewhere, witness: LedgerWitness) -> None:
    clock = SystemClock()
    with RunDirectory.reopen(state, run.run_id, clock.now, witness) as directory:
        hosts = tuple(
            EndedHost(
                host=host,
                outcome=end.outcome,
                settled=tuple(opened.record for opened in in_flight(run, host).open),
            )
            for host in run.hosts
        )
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=hosts, elsewhere=end.node)))
        directory.end()
