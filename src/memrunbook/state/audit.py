"""Says whether the journals of a state directory are what was written, and where they are not."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, keys, ledger
from memrunbook.state.chain import Broken, Torn, Verified
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.lines import read_lines
from memrunbook.state.run_directory import EVIDENCE, RUN, SavedFile
from memrunbook.state.runs import running

Level = Literal["error", "note"]


class AuditFinding(Struct, frozen=True):
    """One thing found. An `error` means that something was changed; a `note` is what a crash leaves behind."""

    level: Level
    where: str
    message: str


def verify(state: Path, expect: str = "") -> list[AuditFinding]:
    """Everything that is wrong in a state directory, the ledger first; no `error` means that it is intact.

    `expect` is a head of the ledger that was kept elsewhere: it must still be in it. On this machine alone two things
    are not found: a cut at the very end of the ledger and its journals together, and a re-seal by whoever has the key.
    """
    entries = ledger.read(state)
    found = [*_ledger(state, entries, expect)]
    known: dict[str, dict[str, list[SealedEntry]]] = {}
    for entry in entries:
        known.setdefault(entry.run, {}).setdefault(entry.file, []).append(entry)
    there = {path.name for path in (state / "runs").glob("*") if path.is_dir()}
    for run in sorted(known.keys() | there):
        found += _run(state / "runs" / run, known.get(run, {}))
    return found


def _ledger(state: Path, entries: list[SealedEntry], expect: str) -> Iterator[AuditFinding]:
    path = ledger.ledger_file(state)
    end, _ = _walk(path)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
    if isinstance(end, Torn):
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last entry was cut off while it was written")
    if expect and expect not in {entry.hash for entry in entries}:
        yield AuditFinding(
            "error", str(path), f"the expected head {expect} is not in the ledger: its end was cut or replaced"
        )
    if entries:
        yield from _seals(state, entries)


def _seals(state: Path, entries: list[SealedEntry]) -> Iterator[AuditFinding]:
    path = ledger.ledger_file(state)
    try:
        ours = keys.load(state).public
    except JournalError as error:
        yield AuditFinding("error", error.where, error.message)
        return
    for entry in entries:
        if entry.key != ours:
            yield AuditFinding(
                "error", f"{path}:{entry.seq}", "the entry is sealed by another key than this state directory's"
            )
        elif not entry.signed:
            yield AuditFinding("error", f"{path}:{entry.seq}", "the entry's seal is not that of the key")


def _run(path: Path, known: dict[str, list[SealedEntry]]) -> Iterator[AuditFinding]:
    if not path.is_dir():
        yield AuditFinding("error", str(path), "the run is in the ledger, its directory is missing")
        return
    alive = running(path)
    for name in sorted(known.keys() | {one.name for one in path.glob("*.jsonl")}):
        yield from _journal(path / name, known.get(name, []), alive=alive)
    yield from _evidence(path)
    if not alive and not any(entry.event == "end" for entry in known.get(RUN, [])[-1:]):
        yield AuditFinding("note", str(path), "the run was interrupted: it has no end")


def _journal(path: Path, known: list[SealedEntry], *, alive: bool) -> Iterator[AuditFinding]:
    if not path.exists():
        yield AuditFinding("error", str(path), "the journal is in the ledger, the file is missing")
        return
    end, heads = _walk(path)
    if isinstance(end, Broken):
        yield AuditFinding("error", f"{path}:{end.line}", end.why)
        return
    if not known and end.count:
        yield AuditFinding("error", str(path), "the ledger does not know this journal")
    for entry in known:
        if entry.count >= len(heads):
            missing = f"{entry.count - len(heads) + 1} of the {entry.count} records that the ledger knows are missing"
            yield AuditFinding("error", str(path), f"{missing} at its end")
        elif heads[entry.count] != entry.head:
            yield AuditFinding("error", f"{path}:{entry.count}", "this is not the record that the ledger knows")
    if not alive:
        yield from _behind(path, end, known[-1:])


def _behind(path: Path, end: Verified | Torn, latest: list[SealedEntry]) -> Iterator[AuditFinding]:
    ended = [entry.count for entry in latest if entry.event == "end"]
    if isinstance(end, Torn) and not ended:
        yield AuditFinding("note", f"{path}:{end.count + 1}", "the last record was cut off while it was written")
    elif ended and (end.count > ended[0] or isinstance(end, Torn)):
        yield AuditFinding(
            "error", f"{path}:{ended[0] + 1}", "something was added behind the end that the ledger knows"
        )


def _evidence(path: Path) -> Iterator[AuditFinding]:
    for said in read_lines(path / EVIDENCE, SavedFile):
        file = path / said.path
        if not file.is_file():
            yield AuditFinding("error", str(file), "the evidence is in the journal, the file is missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != said.sha256:
            yield AuditFinding("error", str(file), "the evidence is not what was saved")


def _walk(path: Path) -> tuple[Verified | Torn | Broken, list[str]]:
    end: Verified | Torn | Broken = Verified()
    heads = [chain.Link().head]
    with path.open("rb") if path.is_file() else io.BytesIO() as lines:
        for state in chain.walk(lines):
            end = state
            if isinstance(state, Verified):
                heads.append(state.head)
    return end, heads
