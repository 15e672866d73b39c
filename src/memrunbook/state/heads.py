"""Heads of the ledger that were seen: the last one lies beside the key, `--expect-file` keeps one elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from memrunbook.core.errors import JournalError
from memrunbook.state import disk
from memrunbook.state.chain import Link
from memrunbook.state.ownership import member

WRITTEN = re.compile(r"([0-9a-f]{64})(?: (\d{1,15}))?\n?", re.ASCII)
LONGEST = 1 << 10


def seen_file(state: Path) -> Path:
    """Where a state directory keeps the head that its ledger had when it was last written; each of a team its own."""
    return state / "keys" / f"ledger{member(state)}.head"


def seen(state: Path) -> list[Link]:
    """The heads that its ledger must still hold: one, or one of each member of a team. JournalError for other text."""
    found = [read(path) for path in disk.listed(state / "keys", "ledger*.head")]
    return [link for link in found if link is not None]


def read(path: Path) -> Link | None:
    """The head in a file, `count` 0 where only its hash is there; None without a file, JournalError for other text."""
    with disk.explained(path, "be read"):
        if not path.exists():
            return None
    text = disk.contents(path, LONGEST).decode("ascii", "replace")
    found = WRITTEN.fullmatch(text)
    if found is None:
        raise JournalError("this is no head of a ledger", where=str(path), hint="64 hex digits, as audit verify says")
    return Link(found[1], int(found[2] or 0))


def write(path: Path, link: Link) -> None:
    """Keeps a head in a file (0600), whole or not at all; JournalError where that cannot be."""
    draft = path.with_name(f"{path.name}.new")
    with disk.explained(path, "be written"):
        draft.unlink(missing_ok=True)
        disk.create(draft, f"{link.head} {link.count}\n".encode("ascii"))
        draft.replace(path)
