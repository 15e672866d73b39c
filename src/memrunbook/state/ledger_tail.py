"""Reads what follows on a place in the ledger, however much stands before it."""

from __future__ import annotations

import io
import os
from pathlib import Path

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk
from memrunbook.state.chain import NOTHING, Broken, Link
from memrunbook.state.ledger import TAIL, SealedEntry, ledger_file
from memrunbook.state.lines import decoded


def ledger_tail(state: Path, number: int) -> list[SealedEntry]:
    """The entry of this number and all behind it; of a ledger that has none of that number its last one.

    They are on the disk: whoever writes has the ledger's lock until that is so. JournalError where they are no chain,
    or somebody keeps the lock.
    """
    path = ledger_file(state)
    if not path.exists():
        return []
    file = disk.open_for_append(path)
    try:
        disk.lock(file, path)
        before, content = _from(file, number)
    finally:
        os.close(file)
    end, entries = chain.verify(io.BytesIO(content), before), list(decoded(content, SealedEntry))
    if isinstance(end, Broken) or len(entries) != end.count - before.count:
        why, line = (end.why, end.line) if isinstance(end, Broken) else ("it holds what is no entry", before.count + 1)
        raise JournalError(why, where=f"{path}:{line}", hint="look at it with runbook audit verify")
    return entries


def _from(file: int, number: int) -> tuple[Link, bytes]:
    """The place before that entry, and the whole lines from it on; looked for from the end."""
    size, window = os.fstat(file).st_size, TAIL
    while True:
        begin = max(0, size - window)
        content = os.pread(file, size - begin, begin)
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)  # a torn one was never acknowledged
        for place in range(len(lines) - 1, 0 if begin else -1, -1):  # the first one may be half a line
            entry = next(decoded(lines[place], SealedEntry), None)
            if entry is not None and entry.seq <= number:
                return Link(entry.prev, entry.seq - 1), b"".join(lines[place:])
        if not begin:
            return NOTHING, b"".join(lines)
        window *= 4
