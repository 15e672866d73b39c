"""Says whether the journals of a state directory are what was written, and where they are not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core import chain
from memrunbook.core.chain import Broken, Torn, Verified
from memrunbook.core.errors import JournalError
from memrunbook.state import keys, ledger
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.run_directory import EVIDENCE, Evidence
from memrunbook.state.runs import ended_runs, running

Level = Literal["error", "note"]


class Finding(Struct, frozen=True):
    """One thing found. An `error` means that something was changed; a `note` is what a crash leaves behind."""

    level: Level
    where: str
    message: str


class _File(Struct, frozen=True):
    """One journal: where its chain ends, and its head after each record (index 0: before the first)."""

    path: Path
    end: Verified | Torn | Broken
    heads: tuple[str, ...]


def verify(state: Path, expect: str = "") -> list[Finding]:
    """Everything that is wrong in a state directory, the ledger first; no `error` means that it is intact.

    `expect` is a head of the ledger that was kept elsewhere: it must still be in it. On this machine alone a cut at the very
    end of the ledger together with its journals, and a re-seal by whoever has the key, are not found.
    """
    entries = ledger.read(state)
    found = [*_ledger(state, entries, expect)]
    folder = state / "runs"
    named = {(entry.run, entry.file) for entry in entries}
    there = {(path.parent.name, path.name) for path in folder.glob("*/*.jsonl")}
    ended = ended_runs(state)
    for run in sorted({run for run, _ in named | there}):
        ...
    return found
