"""Who signed in to the pages, who was refused and who signed out: a chain of its own in the state directory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.state import chain, disk, forwarding
from memrunbook.state.audit import AuditFinding
from memrunbook.state.chain import Broken, Link, Torn
from memrunbook.state.lines import decoded

FILE = "sign-ins.jsonl"
TAIL = 1 << 16
SignInEvent = Literal["link", "in", "refused", "out"]
"""A link was made; somebody signed in; was refused; signed out."""


class SignIn(Struct, frozen=True, kw_only=True):
    """One of these, at a time (UTC): `how` it was tried, from which `address`, `role` of the session, `why` not.

    `session` tells sessions apart and opens none.
    """

    at: str
    event: SignInEvent
    how: str = ""
    address: str = ""
    role: str = ""
    session: str = ""
    why: str = ""


def sign_ins_file(state: Path) -> Path:
    """Where they stand."""
    return state / FILE


def record_sign_in(state: Path, one: SignIn) -> None:
    """Writes one, on the disk when it returns; JournalError where that fails: then nobody is signed in."""
    path = sign_ins_file(state)
    file = disk.open_for_append(path)
    try:
        disk.lock(file, path)
        line, link = chain.seal(_end(file, path), msgspec.to_builtins(one))
        disk.append(file, path, line)
        if link.count == 1:
            disk.sync_directory(state)
    finally:
        os.close(file)
    forwarding.usual().send(
        one.at, sign_in=one.event, how=one.how, address=one.address, role=one.role, session=one.session, why=one.why,
        record=link.head,
    )  # fmt: skip


def read_sign_ins(state: Path) -> Sequence[SignIn]:
    """All of them in order; lines that are none are left out (`sign_in_doubts` tells of them)."""
    return list(decoded(disk.contents(sign_ins_file(state)), SignIn))


def sign_in_doubts(state: Path) -> Iterator[AuditFinding]:
    """Where the chain is not as it was written."""
    path = sign_ins_file(state)
    verdict = chain.verify(disk.contents(path).splitlines(keepends=True))
    if isinstance(verdict, Broken):
        yield AuditFinding("error", f"{path}:{verdict.line}", verdict.why)
    elif isinstance(verdict, Torn):
        yield AuditFinding("note", str(path), "the last record was cut off while it was written")


def _end(file: int, path: Path) -> Link:
    """The link at the end; a last line that a crash cut off is removed. JournalError where the end is not sealed."""
    size = os.fstat(file).st_size
    tail = os.pread(file, TAIL, max(0, size - TAIL))
    whole = tail.rfind(b"\n") + 1
    link = chain.last(tail[tail.rfind(b"\n", 0, max(0, whole - 1)) + 1 : whole]) if whole else Link()
    if link is None or (not whole and size >= TAIL):
        hint = "look at it with runbook audit verify, then move it aside"
        raise JournalError("the last record of sign-ins is not what was sealed", where=str(path), hint=hint)
    if rest := len(tail) - whole:
        with disk.explained(path, "be mended"):
            os.ftruncate(file, size - rest)
    return link
