"""The approvals of a saved plan: one line each in the file beside it, `FILE.approvals`."""

from __future__ import annotations

import fcntl
import os
from errno import EFBIG
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core.errors import UsageError
from memrunbook.runtime.named_file import read_named
from memrunbook.state.ownership import is_shared, whose

LARGEST = 256 << 10
"""Bytes of all approvals of a plan; one has about 600."""


class SignedApproval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One approval: `signature` (SSHSIG, armoured) is over the bytes of the plan's file, `principal` says whose.

    `time` (UTC, ISO 8601) and `key` (its fingerprint) are for people: only the signature is proof.
    """

    format: Literal["memrunbook.approval/1"] = "memrunbook.approval/1"
    principal: str
    key: str
    time: str
    signature: str


def approvals_file(plan: Path) -> Path:
    """Where the approvals of a plan's file are."""
    return plan.with_name(f"{plan.name}.approvals")


def read_approvals(plan: Path) -> list[SignedApproval]:
    """The approvals of a plan, none where there is no file; UsageError for one that is damaged or cannot be read."""
    path = approvals_file(plan)
    try:
        lines = read_named(path, LARGEST).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = f"move it away and have the plan approved anew: runbook approve {plan}" if error.errno == EFBIG else ""
        raise UsageError(f"the approvals cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=SignedApproval))
        except (msgspec.DecodeError, UnicodeDecodeError):
            hint = f"remove that line; it is given again by: runbook approve {plan}"
            raise UsageError("this is no approval", where=f"{path}:{number}", hint=hint) from None
    return found


def line_of(approval: SignedApproval) -> bytes:
    """The line of an approval, without its end."""
    return msgspec.json.encode(approval)


def add_approval(plan: Path, approval: SignedApproval) -> Path:
    """Adds an approval, once, on the disk when it returns; the file it went to. UsageError where that cannot be."""
    path = approvals_file(plan)
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            if is_shared(path.parent) and os.fstat(file).st_uid == os.geteuid():
                os.fchmod(file, 0o660)  # the next person adds to it
            fcntl.flock(file, fcntl.LOCK_EX)
            if line_of(approval) not in os.pread(file, LARGEST, 0).splitlines():
                os.write(file, line_of(approval) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        hint = "copy the plan to a folder of your own, approve it there, and hand the .approvals file back"
        owner = f"; {whose(path)}" if isinstance(error, PermissionError) else ""
        raise UsageError(
            f"the approval cannot be written: {error.strerror}{owner}", where=str(path), hint=hint
        ) from None
    return path
