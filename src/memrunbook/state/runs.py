"""Lists the runs of a state directory and reads their records back, whatever became of the files."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from memrunbook.core.run.made import made
from memrunbook.core.run.record import Asked, Ended, Envelope, Invoked, Temporary, decode
from memrunbook.core.run.request import Execute
from memrunbook.core.run.undo_plan import UNDO_OF
from memrunbook.state import disk, ledger
from memrunbook.state.ledger import LedgerReader, SealedEntry
from memrunbook.state.lines import read_lines
from memrunbook.state.names import file_name, name_of
from memrunbook.state.run_directory import COMMON, RUN, RUN_ID, run_path

RunState = Literal["running", "interrupted", "ended"]


class Run(Struct, frozen=True):
    """One run: its directory, whether it is over, its hosts, how it began and how it ended, as far as is known.

    Hosts that other nodes carry it out on (`invoked.parts`) have no journal here.
    `sealed` says by file how many of its records the ledger vouches for.
    """

    run_id: str
    path: Path
    state: RunState
    hosts: tuple[str, ...]
    invoked: Invoked | None = None
    ended: Ended | None = None
    sealed: Mapping[str, int] = {}


def runs(state: Path) -> list[Run]:
    """The runs of a state directory, newest first; those of one second in the order of the ledger."""
    return _known_runs(state).runs()


class _KnownRuns:
    """What this process has read of a state directory: of a run that has ended nothing is read again while it stands.

    A control node that works for weeks has thousands of them, and asks before each.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "runs"
        self._ledger = LedgerReader(state)
        self._ended: dict[str, tuple[tuple[int, ...], Run]] = {}

    def runs(self) -> list[Run]:
        with disk.explained(self._folder, "be read"):
            there = self._folder.iterdir() if self._folder.is_dir() else ()
            found = [path for path in there if RUN_ID.fullmatch(path.name)]
        known: dict[str, list[SealedEntry]] = {}
        for entry in self._ledger.entries():
            known.setdefault(entry.run, []).append(entry)
        begun = {run: number for number, run in enumerate(known)}

        def age(path: Path) -> tuple[str, int]:
            return path.name.partition("-")[0], begun.get(path.name, -1)

        return [self._run(path, known.get(path.name, ())) for path in sorted(found, key=age, reverse=True)]

    def _run(self, path: Path, entries: Sequence[SealedEntry]) -> Run:
        if not _ended(entries):
            return _run(path, entries)
        stands = (len(entries), *_written(path), *_written(path / RUN))
        before = self._ended.get(path.name)
        if before is None or before[0] != stands:
            before = self._ended[path.name] = (stands, _run(path, entries))
        return before[1]


@cache
def _known_runs(state: Path) -> _KnownRuns:
    return _KnownRuns(state)


def _written(path: Path) -> tuple[int, int]:
    """When a file or a folder was written, and its size."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, -1
    return found.st_mtime_ns, found.st_size


def run_of(state: Path, run_id: str) -> Run:
    """One run of a state directory."""
    return _run(run_path(state, run_id), [entry for entry in ledger.read(state) if entry.run == run_id])


def begun_and_ended(path: Path) -> tuple[Invoked | None, Ended | None]:
    """How the run in a directory began and how it ended last, as its own journal tells."""
    told = list(read_lines(path / RUN, cast("type[Invoked | Ended]", Invoked | Ended)))
    begun = next((one for one in told if isinstance(one, Invoked)), None)
    return begun, next((one for one in reversed(told) if isinstance(one, Ended)), None)  # it may have been gone on with


def records(state: Path, run_id: str, host: str | None = None) -> list[dict[str, Any]]:
    """The records of a run's own journal, or of one host's; lines that are no record are left out."""
    name = RUN if host is None else f"{file_name(host)}.jsonl"
    return list(read_lines(run_path(state, run_id) / name, dict[str, Any]))


def still_changed(found: Iterable[Run]) -> dict[str, dict[str, float]]:
    """By run what it changed for a while that no undo took back, with when the host does so (seconds since 1970)."""
    every, back = list(found), dict[str, dict[str, float]]()
    undone = {
        (run.invoked.runbook.removeprefix(UNDO_OF), host.host, step)
        for run in every
        if run.invoked is not None and run.ended is not None
        for host in run.ended.hosts
        for step in host.undone
    }
    for run in every:
        for host, one in _temporary(run):
            if (run.run_id, host, one.step) not in undone:
                back.setdefault(run.run_id, {})[f"{host}: {one.what}"] = one.until
    return back


def _temporary(run: Run) -> Iterator[tuple[str, Temporary]]:
    """What a run changed for a while, by host; of one without an end as its journals tell."""
    if run.state == "ended" and run.ended is not None:
        yield from ((host.host, one) for host in run.ended.hosts for one in host.temporary)
        return
    for host in run.hosts:
        begun: dict[str, float] = {}
        for one in made(_changes(run.path / f"{file_name(host)}.jsonl", begun)):
            if one.change.back_after and not one.taken_back:
                at = one.at or begun[one.step]
                yield host, Temporary(one.step, one.change.summary, at + one.change.back_after)


def _changes(path: Path, begun: dict[str, float]) -> Iterator[Envelope]:
    """What a host's journal asked for and was answered, as far as it can be read; `begun` gets when each step was."""
    for record in read_lines(path, dict[str, Any]):
        try:
            envelope = decode(record, {})
        except msgspec.ValidationError:
            continue  # a reading, or of another version
        if isinstance(envelope, Asked) and isinstance(envelope.request, Execute):
            with suppress(ValueError):
                begun[envelope.request.step] = dt.datetime.fromisoformat(str(record.get("time", ""))).timestamp()
            begun.setdefault(envelope.request.step, 0.0)
        yield envelope


def _ended(known: Iterable[SealedEntry]) -> bool:
    """True where the latest entry of the run's own journal in the ledger says that it ended."""
    return [entry.event for entry in known if entry.file == RUN][-1:] == ["end"]


def running(path: Path) -> bool:
    """True while a process has the run in this directory open."""
    with disk.explained(path / RUN, "be read"):
        try:
            file = os.open(path / RUN, os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return False
    try:
        return not disk.try_lock(file)
    finally:
        os.close(file)


def _run(path: Path, known: Sequence[SealedEntry]) -> Run:
    begun, end = begun_and_ended(path)
    with disk.explained(path, "be read"), os.scandir(path) as there:
        names = sorted(one.name for one in there if one.name.endswith(".jsonl") and one.name not in COMMON)
    hosts = tuple(name_of(name.removesuffix(".jsonl")) for name in names)
    hosts = tuple(sorted({*hosts, *(begun.parts if begun else ())}))
    state: RunState = "ended" if _ended(known) else "running" if running(path) else "interrupted"
    return Run(path.name, path, state, hosts, begun, end, ledger.vouched(known))
