"""Writes that are on the disk when they return, and errors that say what to do about it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from memrunbook.core.errors import JournalError

ELSEWHERE = "or name another place with --state-dir"
HINTS = {
    errno.ENOSPC: f"free space there, {ELSEWHERE}",
    errno.EDQUOT: f"free space there, {ELSEWHERE}",
    errno.EROFS: f"remount it writable, {ELSEWHERE}",
    errno.EACCES: f"run as its owner, {ELSEWHERE}",
    errno.EPERM: f"run as its owner, {ELSEWHERE}",
}
POLL = 0.02
PATIENCE = 10.0


@contextlib.contextmanager
def explained(path: Path, what: str) -> Iterator[None]:
    """Turns an OSError into a JournalError: `path` could not `what` because of this, and what to do."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        hint = HINTS.get(error.errno or 0, f"see that {path} is a place for files, {ELSEWHERE}")
        raise JournalError(f"it could not {what}: {why}", where=str(path), hint=hint) from error


def make_directory(path: Path) -> None:
    """Makes a directory and its parents (0700), on the disk when it returns; one that exists is fine."""
    with explained(path, "be made"):
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            sync_directory(one.parent)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file")


def sync_directory(path: Path) -> None:
    """Puts the names in a directory on the disk."""
    with explained(path, "be written"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def create(path: Path, content: bytes) -> None:
    """Makes a file (0600) that must not exist yet, on the disk when it returns."""
    with explained(path, "be written"):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            _write(file, content)
            os.fsync(file)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(file)
        sync_directory(path.parent)


def open_for_append(path: Path) -> int:
    """Opens a file (0600) for reading and appending. A missing one is made; putting its name on the disk is left."""
    with explained(path, "be opened"):
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def append(file: int, path: Path, content: bytes) -> None:
    """Appends all of the content, on the disk when it returns; what could not be written whole is taken back."""
    with explained(path, "be written"):
        before = os.fstat(file).st_size
        try:
            _write(file, content)
            os.fsync(file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, before)
            raise


def lock(file: int, path: Path, *, patience: float = PATIENCE) -> None:
    """Takes a file's lock for this process; JournalError when another one keeps it longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while not try_lock(file):
        if time.monotonic() >= deadline:
            raise JournalError("another process is writing here", where=str(path), hint="wait for it to end")
        time.sleep(POLL)


def try_lock(file: int) -> bool:
    """Takes a file's lock if nobody has it; released when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
