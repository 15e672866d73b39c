"""A file of lines that are a chain of their own, to which several processes append: each line whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk
from memrunbook.state.audit import AuditFinding
from memrunbook.state.chain import Broken, Link, Torn

TAIL = 1 << 16


@dataclass(frozen=True)
class SealedFile:
    """Such a file, open and locked: what is read of it stays true until it is closed."""

    path: Path
    _file: int

    @classmethod
    @contextmanager
    def opened(cls, path: Path, shared: int = 0o660) -> Iterator[SealedFile]:
        """Opens it, and makes it where it is missing; JournalError where that fails, or another process keeps it.

        `shared` is the mode of a new one in a directory of a team.
        """
        file = disk.open_for_append(path, shared)
        try:
            disk.lock(file, path)
            yield cls(path, file)
        finally:
            os.close(file)

    def append(self, record: Mapping[str, Any]) -> Link:
        """Adds a record, on the disk when it returns."""
        line, link = chain.seal(self._end(), record)
        disk.append(self._file, self.path, line)
        if link.count == 1:
            disk.sync_directory(self.path.parent)
        return link

    def _end(self) -> Link:
        """The link at the end; a last line that a crash cut off is removed. JournalError for an end without a seal."""
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, TAIL, max(0, size - TAIL))
        whole = tail.rfind(b"\n") + 1
        link = chain.last(tail[tail.rfind(b"\n", 0, max(0, whole - 1)) + 1 : whole]) if whole else Link()
        if link is None or (not whole and size >= TAIL):
            hint = "look at it with runbook audit verify, then move it aside"
            raise JournalError("the last record of it is not what was sealed", where=str(self.path), hint=hint)
        if rest := len(tail) - whole:
            with disk.explained(self.path, "be mended"):
                os.ftruncate(self._file, size - rest)
        return link


def doubts(path: Path) -> Iterator[AuditFinding]:
    """Where such a file is not as it was written."""
    verdict = chain.verify(disk.contents(path).splitlines(keepends=True))
    if isinstance(verdict, Broken):
        yield AuditFinding("error", f"{path}:{verdict.line}", verdict.why)
    elif isinstance(verdict, Torn):
        yield AuditFinding("note", str(path), "the last record was cut off while it was written")
