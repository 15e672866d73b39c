"""Says whether the journals of a state directory are what was written, and where they are not."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, heads, keys, ledger
from memrunbook.state.chain import Broken, Link, Torn, Verified
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.lines import read_lines
from memrunbook.state.run_directory import EVIDENCE, RUN, SavedFile
from memrunbook.state.runs import running

Level = Literal["error", "note"]
Known = Mapping[str, Mapping[str, list[SealedEntry]]]


class AuditFinding(Struct, frozen=True):
    """One thing found. An `error` means that something was changed; a `note` is what a crash leaves behind."""

    level: Level
    where: str
    message: str


class Ledger(Struct, frozen=True):
    """The ledger as it was read: its entries, those of each run's files, and the last head that was seen before."""

    state: Path
    entries: list[SealedEntry]
    known: Known
    seen: Link | None = None
    doubt: tuple[AuditFinding, ...] = ()

    def of(self, run: str) -> Mapping[str, list[SealedEntry]]:
        """The entries of a run, by file."""
        return self.known.get(run, {})


def verify(state: Path, expect: str = "") -> list[AuditFinding]:
    """Everything that is wrong in a state directory, the ledger first; no `error` means that nothing was found.

    `expect` is a head of the ledger that was kept elsewhere: it must still be in it. On this machine alone two things
    are not found: newest runs that were removed with all that tells of them, and a re-seal by whoever has the key.
    """
    runs = _directories(state)
    book = _read(state)
    found = [*_ledger(book, every=True)]
    if expect and expect not in {entry.hash for entry in book.entries}:
        cut = f"the expected head {expect} is not in the ledger: its end was cut, or it was sealed again"
        found.append(AuditFinding("error", str(ledger.ledger_file(state)), cut))
    for run in sorted(book.known.keys() | runs):
        found += _run(book, run)
    return found


def verify_runs(state: Path, runs: Iterable[str]) -> list[AuditFinding]:
    """What is wrong with these runs: their journals and evidence, and the chain of the ledger that vouches for them."""
    book = _read(state)
    return [*_ledger(book, every=False), *(found for run in runs for found in _run(book, run))]


def verify_listed(state: Path) -> list[AuditFinding]:
    """What is wrong with what a list of runs shows: the ledger, each run's own journal, all of a run without an end."""
    runs = _directories(state)
    book = _read(state)
    found = [*_ledger(book, every=False)]
    for run in sorted(book.known.keys() | runs):
        path, known = state / "runs" / run, book.of(run)
        if not path.is_dir():
            found += _run(book, run)
        elif _has_ended(known):
            found += _journal(book, path / RUN, known[RUN], alive=False)
        else:
            found += _run(book, run)
    return found


def _directories(state: Path) -> set[str]:
    folder = state / "runs"
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()


def _read(state: Path) -> Ledger:
    """Reads the head that was seen before the ledger that must hold it: a run may be writing meanwhile."""
    doubt: tuple[AuditFinding, ...] = ()
    try:
        seen = heads.read(heads.seen_file(state))
    except JournalError as error:
        seen, doubt = None, (AuditFinding("error", error.where, error.message),)
    entries = ledger.read(state)
    known: dict[str, dict[str, list[SealedEntry]]] = {}
    for entry in entries:
        known.setdefault(entry.run, {}).setdefault(entry.file, []).append(entry)
    return Ledger(state, entries, known, seen, doubt)


def _ledger(book: Ledger, *, every: bool) -> Iterator[AuditFinding]:
    """What is wrong with the ledger; each seal with `every`, else the last, whose entry follows from all before it."""
    path = ledger.ledger_file(book.state)
    end, hashes = _walk(path)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
    else:
        yield from _lost(book, path, hashes)
    if isinstance(end, Torn):
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last entry was cut off while it was written")
    yield from book.doubt
    if book.entries:
        yield from _seals(book, book.entries if every else book.entries[-1:])


def _lost(book: Ledger, path: Path, hashes: list[str]) -> Iterator[AuditFinding]:
    """What the ledger no longer holds, by the head that it had when it was last written."""
    count, seen = len(hashes) - 1, book.seen
    if seen is not None and seen.count > count:
        lost = f"{seen.count - count} of the {seen.count} entries that were written are missing at its end: it was cut"
        yield AuditFinding("error", str(path), lost)
    elif seen is not None and hashes[seen.count] != seen.head:
        changed = "this is not the entry that was written: the ledger was sealed again"
        yield AuditFinding("error", f"{path}:{seen.count}", changed)
    elif not count and keys.key_file(book.state).exists():
        gone = "there is a key and no entry sealed by it: the ledger was removed, or the very first run was cut off"
        yield AuditFinding("error", str(path), gone)


def _seals(book: Ledger, checked: Iterable[SealedEntry]) -> Iterator[AuditFinding]:
    path = ledger.ledger_file(book.state)
    try:
        ours = keys.load(book.state).public
    except JournalError as error:
        yield AuditFinding("error", error.where, error.message)
        return
    for entry in book.entries:
        if entry.key != ours:
            other = "the entry is sealed by another key than this state directory's"
            yield AuditFinding("error", f"{path}:{entry.seq}", other)
    for entry in checked:
        if entry.key == ours and not entry.signed:
            yield AuditFinding("error", f"{path}:{entry.seq}", "the entry's seal is not that of the key")


def _has_ended(known: Mapping[str, list[SealedEntry]]) -> bool:
    return any(entry.event == "end" for entry in known.get(RUN, [])[-1:])


def _run(book: Ledger, run: str) -> Iterator[AuditFinding]:
    path, known = book.state / "runs" / run, book.of(run)
    if not path.is_dir():
        yield AuditFinding("error", str(path), "the run is in the ledger, its directory is missing")
        return
    ended = _has_ended(known)
    alive = not ended and running(path)
    for name in sorted(known.keys() | {one.name for one in path.glob("*.jsonl")}):
        yield from _journal(book, path / name, known.get(name, []), alive=alive)
    yield from _evidence(path)
    if not alive and not ended:
        yield AuditFinding("note", str(path), "the run was interrupted: it has no end")


def _journal(book: Ledger, path: Path, known: list[SealedEntry], *, alive: bool) -> Iterator[AuditFinding]:
    if not path.exists():
        yield AuditFinding("error", str(path), "the journal is in the ledger, the file is missing")
        return
    end, hashes = _walk(path)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
        return
    if not known and end.count and not _known_by_now(book.state, path):
        yield AuditFinding("error", str(path), "the ledger does not know this journal")
    for entry in known:
        if entry.count >= len(hashes):
            missing = f"{entry.count - len(hashes) + 1} of the {entry.count} records that the ledger knows are missing"
            yield AuditFinding("error", str(path), f"{missing} at its end")
        elif hashes[entry.count] != entry.head:
            yield AuditFinding("error", f"{path}:{entry.count}", "this is not the record that the ledger knows")
    if not alive:
        yield from _behind(path, end, known[-1:])


def _known_by_now(state: Path, path: Path) -> bool:
    """A journal may have been begun after the ledger was read."""
    return any((entry.run, entry.file) == (path.parent.name, path.name) for entry in ledger.read(state))


def _behind(path: Path, end: Verified | Torn, latest: list[SealedEntry]) -> Iterator[AuditFinding]:
    ended = [entry.count for entry in latest if entry.event == "end"]
    if isinstance(end, Torn) and not ended:
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last record was cut off while it was written")
    elif ended and (end.count > ended[0] or isinstance(end, Torn)):
        added = "something was added behind the end that the ledger knows"
        yield AuditFinding("error", f"{path}:{ended[0] + 1}", added)


def _evidence(path: Path) -> Iterator[AuditFinding]:
    for said in read_lines(path / EVIDENCE, SavedFile):
        file = path / said.path
        if not file.is_file():
            yield AuditFinding("error", str(file), "the evidence is in the journal, the file is missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != said.sha256:
            yield AuditFinding("error", str(file), "the evidence is not what was saved")


def _walk(path: Path) -> tuple[Verified | Torn | Broken, list[str]]:
    """How a chain ends, and the hash of each of its records behind that of nothing."""
    end: Verified | Torn | Broken = Verified()
    hashes = [Link().head]
    with path.open("rb") if path.is_file() else io.BytesIO() as lines:
        for state in chain.walk(lines):
            end = state
            if isinstance(state, Verified):
                hashes.append(state.head)
    return end, hashes
