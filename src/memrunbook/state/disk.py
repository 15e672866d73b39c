"""Writes that are on the disk when they return, and errors that say what to do about it.

In a directory of a team (`ownership.is_shared`) what is made is the team's, whatever the umask.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from memrunbook.core.errors import JournalError
from memrunbook.state.ownership import is_shared, whose

ELSEWHERE = "or name another place with --state-dir"
HINTS = {
    errno.ENOSPC: f"free space there, {ELSEWHERE}",
    errno.EDQUOT: f"free space there, {ELSEWHERE}",
    errno.EROFS: f"remount it writable, {ELSEWHERE}",
    errno.EACCES: f"run as its owner, have it shared (runbook doctor says how), {ELSEWHERE}",
    errno.EPERM: f"run as its owner, have it shared (runbook doctor says how), {ELSEWHERE}",
}
DENIED = (errno.EACCES, errno.EPERM)
POLL = 0.02
PATIENCE = 10.0


@contextlib.contextmanager
def explained(path: Path, what: str) -> Iterator[None]:
    """Turns an OSError into a JournalError: `path` could not `what` because of this, and what to do."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        owner = whose(path) if error.errno in DENIED else ""
        why = f"{why}; {owner}" if owner else why
        hint = HINTS.get(error.errno or 0, f"see that {path} is a place for files, {ELSEWHERE}")
        raise JournalError(f"it could not {what}: {why}", where=str(path), hint=hint) from error


def contents(path: Path, most: int = -1, begin: int = 0) -> bytes:
    """What stands in a file from `begin` on, at `most` so many bytes of it; nothing where there is no file.

    JournalError where it may not be read, and for what is no regular file: a pipe would be waited for without end.
    """
    with explained(path, "be read"):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return b""
        with os.fdopen(_regular(file, path), "rb") as opened:
            opened.seek(begin)
            return opened.read(most)


def _regular(file: int, path: Path) -> int:
    """The open file; JournalError, and it is closed, where it is none that keeps what is written."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        hint = f"look at it with: ls -ld {path}"
        raise JournalError("it is no regular file, so nothing is read from it", where=str(path), hint=hint)
    return file


def make_directory(path: Path, *, own: bool = False) -> None:
    """Makes a directory and its parents (0700; a team's 2770), on the disk when it returns; one that exists is fine.

    In an `own` one of a team (3770) nobody removes or replaces what another member made.
    """
    with explained(path, "be made"):
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            _make(one, own=own and one == path)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file")


def make_new(path: Path) -> None:
    """Makes a directory that must not exist yet, in one that does; as `make_directory` else."""
    with explained(path, "be made"):
        if path.exists():
            raise FileExistsError(errno.EEXIST, "file exists")
        _make(path, own=False)


def _make(path: Path, *, own: bool) -> None:
    shared = is_shared(path.parent)
    made = _draft(path) if shared else path
    try:
        made.mkdir(mode=0o700)
        if shared:
            made.chmod(0o3770 if own else 0o2770)
            made.rename(path)  # others see it with its mode only
    except OSError:
        if made != path and made.is_dir():
            made.rmdir()
        if not path.is_dir():  # else another process was quicker
            raise
    sync_directory(path.parent)


def listed(folder: Path, pattern: str) -> list[Path]:
    """What is in a directory, by the pattern and in order; none without one. A glob takes a closed one for empty."""
    with explained(folder, "be read"):
        try:
            return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, pattern))
        except FileNotFoundError:
            return []


def sync(file: int, path: Path) -> None:
    """Puts what was written to an open file on the disk, whoever wrote it."""
    with explained(path, "be written"):
        os.fsync(file)


def sync_directory(path: Path) -> None:
    """Puts the names in a directory on the disk."""
    with explained(path, "be written"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def create(path: Path, content: bytes, *, shared: int = 0o640) -> None:
    """Makes a file (0600; in a team's directory `shared`) that must not exist yet, on the disk when it returns."""
    with explained(path, "be written"):
        file = _new_file(path, os.O_WRONLY, shared)
        try:
            _write(file, content)
            os.fsync(file)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(file)
        sync_directory(path.parent)


def replace(path: Path, content: bytes, *, shared: int = 0o640) -> None:
    """Puts a file (0600; in a team's directory `shared`) in the place of an older one, whole or not at all."""
    new = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        create(new, content, shared=shared)
        with explained(path, "be written"):
            new.replace(path)
        sync_directory(path.parent)
    except JournalError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def open_for_append(path: Path, shared: int = 0o660) -> int:
    """Opens a file (0600; a team's as `shared` says) for reading and appending.

    A missing one is made; putting its name on the disk is left.
    """
    with explained(path, "be opened"):
        flags = os.O_RDWR | os.O_APPEND
        try:
            return _new_file(path, flags, shared)
        except FileExistsError:
            return _regular(os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), path)


def _new_file(path: Path, flags: int, shared: int) -> int:
    """Opens a file that must not exist yet; a team's has its mode from the first moment that others see it."""
    flags |= os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    if not is_shared(path.parent):
        return os.open(path, flags, 0o600)
    if path.exists():
        raise FileExistsError(errno.EEXIST, "file exists")
    draft = _draft(path)
    file = os.open(draft, flags, 0o600)
    try:
        os.fchmod(file, shared)
        os.link(draft, path)
    except OSError:
        os.close(file)
        raise
    finally:
        draft.unlink()
    return file


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def append(file: int, path: Path, content: bytes, *, durable: bool = True) -> None:
    """Appends all of the content, on the disk when it returns; what could not be written whole is taken back.

    Not `durable`: a crash of this process loses nothing, a power cut may, until the next append that is.
    """
    with explained(path, "be written"):
        before = os.fstat(file).st_size
        try:
            _write(file, content)
            if durable:
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
