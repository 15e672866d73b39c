"""What runs left open: steps that were begun and have no end in their journal, until a later look has answered them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.core.run.flight import Flight, OpenStep, flight, proven, still_open
from memrunbook.core.run.undo_plan import UNDO_OF
from memrunbook.state import disk
from memrunbook.state.names import file_name
from memrunbook.state.runs import Run, runs

# Nothing of these is needed here, and they are nearly all of a journal.
LARGE = (b'"type":"Snapshot"', b'"type":"diagnosed"')


def left_open(state: Path, found: Sequence[Run] | None = None) -> tuple[OpenStep, ...]:
    """The open steps of all runs, the newest run first; one that is under way in a running run is none.

    `found` are the runs where they are known already. Read are the journals of runs without an end, and of hosts that
    ended as `unknown`, `interrupted` or `unreachable`; nothing else can be open. What an undo has taken back is not.
    """
    known = runs(state) if found is None else found
    flights: list[Flight] = []
    settled: set[str] = set()
    undone: set[tuple[str, str, str]] = set()
    for run in known:
        told = [in_flight(run, host) for host in _hosts(run)]
        flights += [msgspec.structs.replace(one, open=()) for one in told] if run.state == "running" else told
        ends = run.ended.hosts if run.ended else ()
        settled |= {record for host in ends for record in host.settled}
        of = run.invoked.runbook.removeprefix(UNDO_OF) if run.invoked else ""
        undone |= {(of, host.host, step) for host in ends for step in host.undone}
    opened = (one for one in still_open(flights) if one.record not in settled)
    return tuple(one for one in opened if (one.run, one.host, one.step) not in undone)


def abandoned(found: Sequence[Run], left: Sequence[OpenStep]) -> frozenset[str]:
    """The runs that were cut off and left nothing open: whoever comes next has nothing to look at for them."""
    return frozenset(run.run_id for run in found if run.state == "interrupted") - {one.run for one in left}


def in_flight(run: Run, host: str) -> Flight:
    """What one host's journal of a run leaves open, whatever became of the file; of a running run, what it is at."""
    name = f"{file_name(host)}.jsonl"
    return flight(proven(_records(run.path / name), run.sealed.get(name, 0)))


def _hosts(run: Run) -> Sequence[str]:
    if run.state != "ended" or run.ended is None:
        return run.hosts
    undoes = run.invoked is not None and run.invoked.runbook.startswith(UNDO_OF)  # one that was stopped is repeated
    kinds = {"unknown"} if undoes else {"unknown", "interrupted", "unreachable"}
    return [host.host for host in run.ended.hosts if host.outcome in kinds]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for line in disk.contents(path).split(b"\n"):
        if any(word in line for word in LARGE):
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
