"""What was asked for on the pages, and by whom: a chain of its own in the state directory, written before it is done.

Whoever starts a command at a terminal cannot say that somebody else asked for it: only what stands here is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.state import disk, forwarding
from memrunbook.state.audit import AuditFinding
from memrunbook.state.lines import decoded
from memrunbook.state.sealed_file import SealedFile, doubts

FILE, FOLDER = "asked.jsonl", "asked"


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

    @property
    def told(self) -> str:
        """For the journal."""
        session = f", session {self.session}" if self.session else ""
        return f"on the pages by {self.who} ({self.how}{session})"


def asked_file(state: Path) -> Path:
    """Where they stand."""
    return state / FILE


def record_asked(state: Path, one: AskedFor) -> str:
    """Writes one, on the disk when it returns; its hash. JournalError where that fails: then nothing is done."""
    told = msgspec.to_builtins(one)
    told.pop("hash")
    with SealedFile.opened(asked_file(state)) as file:
        link = file.append(told)
    forwarding.usual().send(
        str(one.at), asked=one.what, digest=one.digest, who=one.who, how=one.how, session=one.session,
        address=one.address, record=link.head,
    )  # fmt: skip
    return link.head


def read_asked(state: Path) -> Sequence[AskedFor]:
    """All of them in order; lines that are none are left out (`asked_doubts` tells of them)."""
    return list(decoded(disk.contents(asked_file(state)), AskedFor))


def asked_by_hash(state: Path, head: str) -> AskedFor | None:
    """The one with this hash, if there is one."""
    return next((one for one in read_asked(state) if head and one.hash == head), None)


def asked_doubts(state: Path) -> Iterator[AuditFinding]:
    """Where the chain is not as it was written."""
    return doubts(asked_file(state))
