"""The ledger: a signed chain of where every journal stood when it began, at each command, and when it ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk, forwarding, heads, keys
from memrunbook.state.chain import Link
from memrunbook.state.keys import SealingKey
from memrunbook.state.lines import decoded, read_lines

TAIL = 1 << 16
LedgerEvent = Literal["start", "so-far", "end"]


class LedgerEntry(Struct, frozen=True, gc=False):
    """Where one journal (`file`, inside the directory of `run`) stood: the hash of its last record and their count.

    `so-far`: in the middle of its run, before and after each command. A `start` seals what it was gone on with.
    """

    run: str
    file: str
    event: LedgerEvent
    head: str
    count: int


class SealedEntry(LedgerEntry, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """An entry as it stands in the ledger: with the time (UTC), the public key and the signature over all of it."""

    at: str
    key: str
    seal: str
    seq: int
    prev: str
    hash: str

    @property
    def signed(self) -> bool:
        """True where the seal is that of the key for exactly this entry at exactly this place."""
        said = msgspec.to_builtins(self)
        content = chain.canonical({name: said[name] for name in said if name not in ("seal", "hash")})
        return keys.signed(self.key, self.seal, content)


def ledger_file(state: Path) -> Path:
    """Where the ledger of a state directory lies."""
    return state / "ledger.jsonl"


def append(state: Path, entries: Sequence[LedgerEntry], at: str) -> list[SealedEntry]:
    """Seals entries into the ledger and returns them as they stand there; safe with several processes and threads."""
    path = ledger_file(state)
    file = disk.open_for_append(path)
    try:
        disk.lock(file, path)
        link = _end(file, path)
        _refuse_shorter(state, link)
        if link.count == 0:
            disk.sync_directory(state)
        key = keys.own(state, first=link.count == 0)
        lines = []
        for entry in entries:
            line, link = chain.seal(link, _sealed(entry, at, key, link))
            lines.append(line)
        disk.append(file, path, b"".join(lines))
        heads.write(heads.seen_file(state), link)
    finally:
        os.close(file)
    for entry in entries:
        about = {"run": entry.run, "file": entry.file, "event": entry.event, "records": entry.count}
        forwarding.usual().send(at, ledger=link.count, head=link.head, **about)
    return [msgspec.json.decode(line, type=SealedEntry) for line in lines]


def read(state: Path) -> list[SealedEntry]:
    """The entries of the ledger in order; lines that are none are left out (the audit tells of them)."""
    return list(read_lines(ledger_file(state), SealedEntry))


def first_key(state: Path) -> str:
    """The public key that sealed the ledger's first entry: which ledger this is, whoever seals what follows; or empty.

    A team has a key for each member, and its ledger one first entry.
    """
    first = next(decoded(disk.contents(ledger_file(state), TAIL), SealedEntry), None)
    return first.key if first is not None and first.seq == 1 else ""


def end(state: Path) -> Link:
    """The link at the end of the ledger, by its last whole line alone; that of nothing where that is no entry."""
    _, *last = disk.contents(ledger_file(state)).rpartition(b"\n")[0].rpartition(b"\n")
    return chain.last(last[-1] + b"\n") or Link()


class LedgerReader:
    """Reads a ledger again and again: what it has read it reads no more, while that stands there still.

    Safe with several threads.
    """

    def __init__(self, state: Path) -> None:
        self._path = ledger_file(state)
        self._turn = threading.Lock()
        self._entries: list[SealedEntry] = []
        self._last, self._end = b"", 0

    def entries(self) -> list[SealedEntry]:
        """As `read`: the entries in order, without lines that are none."""
        with self._turn:
            begin = self._end - len(self._last)
            content = disk.contents(self._path, begin=begin)
            if not content.startswith(self._last) or not self._last:
                self._entries, begin, self._last, content = [], 0, b"", disk.contents(self._path)
            whole = content[len(self._last) : content.rfind(b"\n") + 1]  # somebody may be writing what follows
            if whole:
                self._entries = [*self._entries, *decoded(whole, SealedEntry)]
                self._end = begin + len(self._last) + len(whole)
                self._last = whole[whole.rfind(b"\n", 0, len(whole) - 1) + 1 :]
            return self._entries


def vouched(entries: Iterable[SealedEntry]) -> dict[str, int]:
    """By file how many of its records were sealed by whoever wrote them: their number at the latest such entry.

    What a `start` seals was on the disk when somebody went on with it: nobody had vouched for that.
    """
    return {entry.file: entry.count for entry in entries if entry.event != "start"}


def _sealed(entry: LedgerEntry, at: str, key: SealingKey, link: Link) -> dict[str, Any]:
    payload = {**msgspec.to_builtins(entry), "at": at, "key": key.public}
    place = {"seq": link.count + 1, "prev": link.head}
    return {**payload, "seal": key.sign(chain.canonical({**payload, **place}))}


def _refuse_shorter(state: Path, link: Link) -> None:
    """What was cut off at the end would be hidden by the next entry: JournalError instead."""
    seen = max(heads.seen(state), key=lambda one: one.count, default=Link())
    if seen.count > link.count or (seen.count == link.count and seen.head != link.head):
        lost = f"the ledger holds {link.count} entries, not the {seen.count} that were written: its end was removed"
        hint = "look at it with runbook audit verify; restore it, or move the state directory aside"
        raise JournalError(lost, where=str(ledger_file(state)), hint=hint)


def _end(file: int, path: Path) -> Link:
    """The link at the end of the ledger; a last line that a crash cut off was never acknowledged and is removed."""
    size = os.fstat(file).st_size
    tail = os.pread(file, TAIL, max(0, size - TAIL))
    whole = tail.rfind(b"\n") + 1
    rest = tail[whole:]
    link = chain.last(tail[tail.rfind(b"\n", 0, max(0, whole - 1)) + 1 : whole]) if whole else Link()
    if link is None or len(rest) == TAIL or chain.last(rest[:-1] + b"\n"):
        hint = "look at it with runbook audit verify, then move the state directory aside"
        raise JournalError("the last entry of the ledger is not what was sealed", where=str(path), hint=hint)
    if rest:
        with disk.explained(path, "be mended"):
            os.ftruncate(file, size - len(rest))
    return link
