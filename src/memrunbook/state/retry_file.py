"""The file of who is left of a run: whole or as it was, since an empty one says that all ended well."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from memrunbook.core.errors import UsageError


def write_retry_file(path: Path, text: str) -> None:
    """Puts a new file in the place of the old one, with its owner and mode; UsageError where that cannot be done.

    What stands there and is no file of that one name alone (a link, a pipe, a device) is written as it is, so is a file
    in whose folder none can be made by whoever asks.
    """
    try:
        before = _status(path)
        if before is not None and (not stat.S_ISREG(before.st_mode) or before.st_nlink > 1):
            path.write_text(text, encoding="utf-8")
            return
        try:
            _replace(path, text.encode(), before)
        except PermissionError:
            if before is None:
                raise
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"the retry file cannot be written: {error.strerror}"
        hint = "name a file in a folder that may be written"
        raise UsageError(what, where=f"--retry-file {path}", hint=hint) from None


def _status(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return path.lstat()
    return None


def _replace(path: Path, content: bytes, before: os.stat_result | None) -> None:
    new = path.with_name(f".retry-{secrets.token_hex(8)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o666), "wb") as file:  # the umask of whoever asks, as for any file of theirs
        try:
            if before is not None:
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            new.replace(path)
        except OSError:
            new.unlink()
            raise
