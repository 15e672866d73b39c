"""Who signed in to the pages, who was refused and who signed out: a chain of its own in the state directory."""

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

FILE = "sign-ins.jsonl"
SignInEvent = Literal["link", "in", "refused", "out", "invited", "registered", "removed"]
"""A link was made; somebody signed in; was refused; signed out; was invited to register a passkey; registered one;
a passkey was removed."""


class SignIn(Struct, frozen=True, kw_only=True):
    """One of these, at a time (UTC): `how` it was tried, from which `address`, `role` of the session, `why` not.

    `session` tells sessions apart and opens none. `person` is who it is, where that is known.
    """

    at: str
    event: SignInEvent
    how: str = ""
    address: str = ""
    role: str = ""
    session: str = ""
    why: str = ""
    person: str = ""


def sign_ins_file(state: Path) -> Path:
    """Where they stand."""
    return state / FILE


def record_sign_in(state: Path, one: SignIn) -> None:
    """Writes one, on the disk when it returns; JournalError where that fails: then nobody is signed in."""
    path = sign_ins_file(state)
    with SealedFile.opened(path) as file:
        link = file.append(msgspec.to_builtins(one))
    forwarding.usual().send(
        one.at, sign_in=one.event, how=one.how, address=one.address, role=one.role, session=one.session, why=one.why,
        person=one.person, record=link.head,
    )  # fmt: skip


def read_sign_ins(state: Path) -> Sequence[SignIn]:
    """All of them in order; lines that are none are left out (`sign_in_doubts` tells of them)."""
    return list(decoded(disk.contents(sign_ins_file(state)), SignIn))


def sign_in_doubts(state: Path) -> Iterator[AuditFinding]:
    """Where the chain is not as it was written."""
    return doubts(sign_ins_file(state))
