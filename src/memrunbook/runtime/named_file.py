"""Reads a file that somebody named: whole, and never more than such a file may hold; a pipe, as of <(...), as well."""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path

PATIENCE = 60.0
"""How long a pipe is waited for that says nothing, in seconds."""
_PIECE = 1 << 16


def read_named(path: Path, most: int) -> bytes:
    """All bytes of a regular file or of a pipe; of /dev/null none.

    OSError, whose `strerror` is for people, where there is more than `most` bytes, where nothing came out of a pipe for
    PATIENCE, for a device or a folder, and where the file cannot be read.
    """
    _refuse_device(path.stat())
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return read_open(file, most)
    finally:
        os.close(file)


def read_named_text(path: Path, most: int, errors: str = "strict") -> str:
    """The same as text in UTF-8, its lines ended as here; UnicodeDecodeError for what is none, as `errors` says."""
    return read_named(path, most).decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def check_named(path: Path, most: int) -> None:
    """OSError, as `read_named` raises it, for a device or a file of more than `most` bytes; nothing is read."""
    found = path.stat()
    _refuse_device(found)
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it is larger than {_size(most)}, which no such file is")


def read_open(file: int, most: int) -> bytes:
    """The same of a file that is open, and does not block."""
    found = os.fstat(file)
    _refuse_device(found)
    content = bytearray()
    while len(content) <= most and found.st_size <= most:
        if stat.S_ISFIFO(found.st_mode):
            _await(file)
        piece = os.read(file, _PIECE)
        if not piece:
            return bytes(content)
        content += piece
    raise OSError(errno.EFBIG, f"it is larger than {_size(most)}, which no such file is")


def _refuse_device(found: os.stat_result) -> None:
    """A device has no end; /dev/null has, and stands for no file at all."""
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == Path(os.devnull).stat().st_rdev
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode) or is_null):
        raise OSError(errno.EINVAL, "it is neither a file nor a pipe")


def _await(pipe: int) -> None:
    """Waits until the pipe says something, or whoever wrote into it has ended."""
    ready = select.poll()
    ready.register(pipe, select.POLLIN)
    if not ready.poll(PATIENCE * 1000):
        raise TimeoutError(errno.ETIMEDOUT, f"nothing came out of this pipe for {PATIENCE:.0f} s")


def _size(most: int) -> str:
    mib = 1 << 20
    return f"{most // mib} MiB" if most >= mib else f"{most >> 10} KiB"
