"""One journal: an append-only chain in a file, on the disk before anything is changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk
from memrunbook.state.chain import Broken, Link, Torn


class RunJournal:
    """A journal open for writing, by this process alone; safe with several threads.

    `torn` is what a crash had left of a last, unacknowledged record: it was cut off when the journal was opened again.
    """

    def __init__(self, path: Path) -> None:
        """Opens or makes the journal; JournalError where another process writes it or its chain is broken.

        What is in it is on the disk then. Its name is for whoever makes it: one `sync_directory` serves many.
        """
        self.path = path
        self.torn = b""
        self._turn = threading.Lock()
        self._file = disk.open_for_append(path)
        try:
            disk.lock(self._file, path, patience=1.0)
            self.link = self._verified()
            if self.link.count or self.torn:
                disk.sync(self._file, path)  # whoever puts its end into the ledger must find it there after a power cut
        except JournalError:
            self.close()
            raise

    def append(self, payload: Mapping[str, Any], *, durable: bool = True) -> str:
        """Writes one record and returns its hash; JournalError where it is not safely on the disk.

        One that is not `durable` outlives a crash of this process, and is on the disk with the next one that is.
        """
        with self._turn:
            line, link = chain.seal(self.link, payload)
            disk.append(self._file, self.path, line, durable=durable)
            self.link = link
        return link.head

    def close(self) -> None:
        """Lets go of the file; `link` still says where the journal ended."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _verified(self) -> Link:
        with disk.explained(self.path, "be read"), self.path.open("rb") as lines:
            state = chain.verify(lines)
        if isinstance(state, Broken):
            raise JournalError(state.why, where=f"{self.path}:{state.line}", hint="see runbook audit verify")
        if isinstance(state, Torn):
            self.torn = state.rest
            with disk.explained(self.path, "be mended"):
                os.ftruncate(self._file, self.path.stat().st_size - len(state.rest))
        return Link(state.head, state.count)
