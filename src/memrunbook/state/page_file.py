"""A page that is written for people to read elsewhere: whole or not at all, readable by its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.state import disk

BEGINNING = 4096
"""So many bytes of a file say whether it is a page of ours."""


def refuse_page(path: Path, mark: str) -> None:
    """UsageError where no page may be written: in no folder, over a folder, a link, or a file without `mark`."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise _refused("there is no such folder", path, "make it first, or check the path") from None
        return
    except OSError as error:
        raise _unwritten(path, error) from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no file"
        raise _refused(f"what is there is {what}", path, "name a file of its own")
    if not _is_ours(path, mark):
        raise _refused("another file is there", path, "name a new file: only a report is replaced by a report")


def write_page(path: Path, text: str, mark: str) -> int:
    """Writes a page (0600) in the place of an older one; its size in bytes. UsageError where it cannot be written."""
    refuse_page(path, mark)
    content = text.encode("utf-8", "backslashreplace")
    try:
        disk.replace(path, content, shared=0o600)
    except JournalError as error:
        raise _unwritten(path, error) from None
    return len(content)


def _is_ours(path: Path, mark: str) -> bool:
    try:
        with path.open("rb") as file:
            beginning = file.read(BEGINNING)
    except OSError as error:
        raise _unwritten(path, error) from None
    return not beginning or mark.encode() in beginning


def _refused(what: str, path: Path, hint: str) -> UsageError:
    return UsageError(f"the report cannot be written: {what}", where=f"--html {path}", hint=hint)


def _unwritten(path: Path, error: Exception) -> UsageError:
    cause = error if isinstance(error, OSError) else error.__cause__
    why = os.strerror(cause.errno or 0).lower() if isinstance(cause, OSError) else str(error)
    return _refused(why, path, "check the path and the disk")
