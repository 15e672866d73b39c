"""Recordings of hosts, written for whoever reads them elsewhere: whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.state import disk


def refuse_written(path: Path, *, force: bool) -> None:
    """UsageError where no recording may be written: over no file, in no folder, over a file without force."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        _refuse_folder(path.parent)
        return
    except OSError as error:
        raise _unwritten(path, error) from None
    if not stat.S_ISREG(mode):
        what = "a link is there" if stat.S_ISLNK(mode) else "what is there is no file"
        raise UsageError(f"the recording cannot be written: {what}", where=str(path), hint="name a file of its own")
    if not force:
        raise UsageError("the file is there already", where=str(path), hint="name a new file, or replace it: --force")


def save_recording(path: Path, text: str, *, force: bool) -> int:
    """Writes a recording; its size in bytes. UsageError where it cannot be written."""
    refuse_written(path, force=force)
    content = text.encode("utf-8", "backslashreplace")
    try:
        disk.replace(path, content, shared=0o600)
    except JournalError as error:
        raise _unwritten(path, error) from None
    return len(content)


def make_folder(path: Path) -> None:
    """Makes the folder of several recordings (0700) where it is not there; UsageError where it cannot be made."""
    if path.is_dir():
        return
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        hint = "several hosts are recorded into a folder: name one"
        raise UsageError("this is a file", where=str(path), hint=hint) from None
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise UsageError(f"the folder cannot be made: {why}", where=str(path), hint="check the path") from None


def _refuse_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), hint="make it first, or check the path")


def _unwritten(path: Path, error: Exception) -> UsageError:
    cause = error if isinstance(error, OSError) else error.__cause__
    why = getattr(cause, "strerror", None) or str(error)
    return UsageError(f"the recording cannot be written: {why}", where=str(path), hint="check the path and the disk")
