"""Reads files that bind whoever uses the engine: nobody else may have written them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.runtime.named_file import read_open

ROOT = 0
LARGEST = 4 << 20
"""Bytes: a document of more than 1 MiB is refused with a better word where it is parsed."""


def read_owned(path: Path) -> bytes:
    """The bytes of a file of root's or one's own that not everybody may write; DocumentError for any other.

    With sudo the file of whoever used it is one's own too: that person is root here already.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            _refuse(path, found)
            return read_open(file.fileno(), LARGEST)
    except OSError as error:
        hint = "mend or move it"
        raise DocumentError([Problem(str(path), f"the file cannot be read: {error.strerror}", hint)]) from None


def check_owned(path: Path, *, runs: bool = False) -> None:
    """DocumentError for a file that everybody may write; for a program that `runs` also for one of another user."""
    found = path.stat()
    if runs:
        _refuse(path, found)
    elif found.st_mode & stat.S_IWOTH:
        what = "everybody may write it: it says which hosts are reached, and how"
        raise DocumentError([Problem(str(path), what, f"after reading it: chmod o-w {path}")])


def is_there(path: Path) -> bool:
    """True for what exists, be it a link to nothing; UsageError where that cannot be told.

    What cannot be told is not left out in silence: it may forbid something.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        hint = "let this user read it, or have HOME and XDG_CONFIG_HOME name folders of its own"
        raise UsageError(f"it cannot be looked at: {error.strerror}", where=str(path), hint=hint) from None
    return True


def _refuse(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in _trusted():
        what = f"it belongs to another user (uid {found.st_uid}), who could change what binds you"
        raise DocumentError([Problem(str(path), what, f"after reading it: chown root {path}")])
    if found.st_mode & stat.S_IWOTH:
        what = "everybody may write it, so that it binds nobody"
        raise DocumentError([Problem(str(path), what, f"after reading it: chmod o-w {path}")])


def _trusted() -> set[int]:
    by_sudo = os.environ.get("SUDO_UID", "")
    return {ROOT, os.geteuid(), *([int(by_sudo)] if by_sudo.isascii() and by_sudo.isdecimal() else [])}
