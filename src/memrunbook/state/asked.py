"""What was asked for on the pages, and by whom: a chain of its own in the state directory, written before it is done.

Whoever starts a command at a terminal cannot say that somebody else asked for it: only what stands here is believed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.state import disk, forwarding
from memrunbook.state.audit import AuditFinding
from memrunbook.state.lines import decoded
from memrunbook.state.ownership import member
from memrunbook.state.sealed_file import SealedFile, doubts

FILE, FOLDER = "asked.jsonl", "asked"
OF_A_SERVER = re.compile(r"asked(-[0-9]+)?\.jsonl", re.ASCII)
OWN, OTHERS_WRITE = 0o640, stat.S_IWGRP | stat.S_IWOTH


class AskedFor(Struct, frozen=True, kw_only=True):
    """One thing: `what` was to be done with the file of this SHA-256, `who` asked, `how` that was known, from where.

    `at` is in seconds since 1970. `hash` is its own in the chain, which the command gets that does it.
    """

    at: float
    what: Literal["apply", "alert"]
    digest: str
    who: str
    how: str
    session: str = ""
    address: str = ""
    hash: str = ""

    def told(self, server: str = "") -> str:
        """For the journal; of a team it is said whose `server` of pages tells it."""
        session = f", session {self.session}" if self.session else ""
        pages = f"the pages of {server}" if server else "the pages"
        return f"on {pages} by {self.who} ({self.how}{session})"


def asked_file(state: Path) -> Path:
    """Where a server writes them: each member of a team has a file that nobody else writes to."""
    return state / FILE.replace(".", f"{member(state)}.")


def asked_files(state: Path) -> Sequence[Path]:
    """Where they stand, of every server of this directory."""
    stem, end = FILE.split(".")
    return sorted(path for path in state.glob(f"{stem}*.{end}") if OF_A_SERVER.fullmatch(path.name))


def record_asked(state: Path, one: AskedFor) -> str:
    """Writes one, on the disk when it returns; its hash. JournalError where that fails: then nothing is done."""
    told = msgspec.to_builtins(one)
    told.pop("hash")
    with SealedFile.opened(asked_file(state), OWN) as file:
        link = file.append(told)
    forwarding.usual().send(
        str(one.at), asked=one.what, digest=one.digest, who=one.who, how=one.how, session=one.session,
        address=one.address, record=link.head,
    )  # fmt: skip
    return link.head


def read_asked(state: Path) -> Sequence[AskedFor]:
    """All of them, the oldest first; lines that are none are left out (`asked_doubts` tells of them)."""
    found = (one for path in asked_files(state) for one in decoded(disk.contents(path), AskedFor))
    return sorted(found, key=lambda one: one.at)


def asked_by_hash(state: Path, head: str) -> AskedFor | None:
    """The one with this hash, if a server of this very user wrote it: nobody else's file is believed."""
    path = asked_file(state)
    try:
        seen = path.stat(follow_symlinks=False)
    except OSError:
        return None
    if seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & OTHERS_WRITE:
        return None
    return next((one for one in decoded(disk.contents(path), AskedFor) if head and one.hash == head), None)


def asked_doubts(state: Path) -> Iterator[AuditFinding]:
    """Where a chain is not as it was written."""
    for path in asked_files(state):
        yield from doubts(path)
