"""Saved plans: written for whoever will carry them out, and read back with what became of the file since."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.saved import Difference, SavedPlan, approved_changes, other_time
from memrunbook.core.units import encode
from memrunbook.runtime.named_file import read_named
from memrunbook.runtime.redaction import HIDDEN, redacted
from memrunbook.state import disk
from memrunbook.state.approvals import approvals_file
from memrunbook.state.ownership import whose
from memrunbook.state.waiting import FOLDER
from memrunbook.version import __version__

FORMAT = "memrunbook.saved-plan/"
MADE = "runbook plan NAME --host HOST --out FILE makes one"
LARGEST = 64 << 20
"""Bytes of a plan's file: more is none, and is not read."""


@dataclass(frozen=True)
class PlanFile:
    """A saved plan as its file holds it: the bytes, which approvals are over, and their SHA-256 in hex.

    `changed` says in what the file is not as it was saved.
    """

    path: Path
    content: bytes
    saved: SavedPlan
    changed: Difference | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    def outdated(self, now: Instant) -> Difference | None:
        """Why the plan may neither be approved nor applied: the file was changed, or it is not its time."""
        times = (other_time(plan, now) for plan in self.saved.plans)
        return self.changed or next((one for one in times if one is not None), None)


def save_plan(path: Path, saved: SavedPlan) -> None:
    """Writes a plan to a file, readable by its owner alone, or by a team in its directory; UsageError where it cannot.

    An earlier plan is replaced as a whole or not at all. What looks like a secret is hidden in it.
    """
    refuse_taken(path)
    found: dict[str, Any] = redacted(msgspec.to_builtins(saved, enc_hook=encode))
    found["checksum"] = _checksum(found)
    content = msgspec.json.format(msgspec.json.encode(found), indent=2)
    try:
        disk.replace(path, content + b"\n")
    except JournalError as error:
        why = getattr(error.__cause__, "strerror", None) or str(error)
        raise UsageError(f"the plan cannot be written: {why}", where=str(path)) from None


def refuse_taken(path: Path) -> None:
    """UsageError where no plan may be written: over a link, or what is no file, or where approvals of another lie."""
    approvals = approvals_file(path)
    if os.path.lexists(approvals):
        what, hint = "approvals of an earlier plan lie there", f"remove {approvals}, or save the plan as another file"
        raise UsageError(what, where=str(approvals), hint=hint)
    with suppress(OSError):  # what is not there is free; what cannot be looked at cannot be written
        if not stat.S_ISREG(path.lstat().st_mode):
            what = "a link is there" if path.is_symlink() else "what is there is no file"
            raise UsageError(f"the plan cannot be written: {what}", where=str(path), hint="name a file of its own")


def load_plan(path: Path) -> PlanFile:
    """Reads a saved plan.

    UsageError for what is none, or cannot be read; Refused for one that this version does not understand.
    """
    return read_plan(path, _content(path))


def read_plan(path: Path, content: bytes) -> PlanFile:
    """The same of bytes that lie there, or are to."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict) or not str(found.get("format")).startswith(FORMAT):
        raise UsageError("this is no saved plan", where=str(path), hint=f"{MADE}; a runbook is run by: runbook run")
    checksum = _checksum(found)
    try:
        saved = msgspec.convert(found, SavedPlan)
        changed = _changed(saved, checksum)
    except (msgspec.ValidationError, ValueError) as error:
        raise Refused(
            f"this version ({__version__}) cannot read the plan, which engine {found.get('engine', 'unknown')} "
            f"saved as {found.get('format')}: {error}",
            where=str(path),
            hint=f"plan again with this version: {MADE}",
        ) from None
    return PlanFile(path, content, saved, changed)


def _content(path: Path) -> bytes:
    try:
        return read_named(path, LARGEST)
    except PermissionError:
        hint = f"whoever made it can let you read it: chmod g+r {path}, or hand a copy over"
        raise UsageError(
            f"the plan cannot be read: it is another user's; {whose(path)}", where=str(path), hint=hint
        ) from None
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.parent.name == FOLDER:
            what = "the plan is not there any more: a newer firing of its schedule, or alert, replaced it"
            raise UsageError(what, where=str(path), hint="those that wait are listed by: runbook pending") from None
        raise UsageError(f"the plan cannot be read: {error.strerror}", where=str(path), hint=MADE) from None


def _checksum(found: dict[str, Any]) -> str:
    """Over all but itself, whatever the order of keys and the white space."""
    rest = {name: value for name, value in found.items() if name != "checksum"}
    return hashlib.sha256(msgspec.json.encode(rest, order="sorted")).hexdigest()


def _changed(saved: SavedPlan, checksum: str) -> Difference | None:
    """Whether digests stand for the changes beside them, and the file is the one that was written.

    ValueError where its parts do not belong together.
    """
    if not len(saved.hosts) == len(saved.plans) == len(saved.digests):
        raise ValueError("its hosts, plans and digests are not as many")
    for host, plan, digests in zip(saved.hosts, saved.plans, saved.digests, strict=True):
        if host.name != plan.host or len(plan.changes) != len(digests):
            raise ValueError(f"what it holds for {host.name} does not belong together")
        for step, digest in approved_changes(plan, digests):
            if step.digest != digest and HIDDEN not in msgspec.json.encode(step.change, enc_hook=encode).decode():
                what = f"the file was changed after it was saved: step {step.label} on {host.name}"
                return Difference(what, f"change sha256:{digest[:8]}", f"change sha256:{step.digest[:8]}")
    if saved.checksum != checksum:
        what = "the file was changed after it was saved"
        return Difference(what, f"checksum {saved.checksum[:8] or 'none'}", f"checksum {checksum[:8]}")
    return None
