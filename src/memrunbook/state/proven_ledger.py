"""Reads a ledger again and again as a chain that is whole: what was found whole before is looked at no more."""

from __future__ import annotations

import io
from pathlib import Path

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk
from memrunbook.state.chain import NOTHING, Broken, Link
from memrunbook.state.ledger import SealedEntry, ledger_file
from memrunbook.state.lines import decoded


class ProvenLedger:
    """One ledger, for one thread at a time."""

    def __init__(self, state: Path) -> None:
        self._path = ledger_file(state)
        self._entries: list[SealedEntry] = []
        self._last, self._size = b"", 0

    def entries(self) -> list[SealedEntry]:
        """All of its entries; JournalError where they are not a chain. The caller changes nothing in the list."""
        end = self._read()
        if isinstance(end, Broken):  # it may be another file by now
            self._entries, self._last, self._size = [], b"", 0
            end = self._read()
        if isinstance(end, Broken) or len(self._entries) != end.count:
            why, line = (end.why, end.line) if isinstance(end, Broken) else ("it holds what is no entry", 1)
            self._entries, self._last, self._size = [], b"", 0
            raise JournalError(why, where=f"{self._path}:{line}", hint="look at it with runbook audit verify")
        return self._entries

    def _read(self) -> Link | Broken:
        """What is new, if it follows on what is known: the end of the ledger."""
        content = disk.contents(self._path, begin=self._size - len(self._last))
        if not content.startswith(self._last):
            return Broken(len(self._entries), "it is not the entry that was read there before")
        new = content[len(self._last) : content.rfind(b"\n") + 1]  # somebody may be writing what follows
        known = Link(self._entries[-1].hash, self._entries[-1].seq) if self._entries else NOTHING
        end = chain.verify(io.BytesIO(new), known)
        if new and not isinstance(end, Broken):
            self._entries += decoded(new, SealedEntry)
            self._size += len(new)
            self._last = new[new.rfind(b"\n", 0, len(new) - 1) + 1 :]
        return end
