"""The file for node_exporter's textfile collector: whole, and readable by the collector, which is another user."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from memrunbook.core.errors import UsageError

MODE, ENDING = 0o644, ".prom"
PRIVATE = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  nothing is written there
"""Folders of which a service with PrivateTmp= has its own, that no collector sees."""


def write_textfile(path: Path, text: str) -> None:
    """Puts a new file in the place of the old one; UsageError where that cannot be done.

    Until it is whole its name does not end in .prom: the collector reads every file of that ending.
    """
    refuse_other_ending(path)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), MODE)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        what = f"the file cannot be written: {error.strerror}"
        hint = "see that its folder is there, may be written and has space, or name another"
        raise UsageError(what, where=f"--textfile {path}", hint=hint) from None


def refuse_other_ending(path: Path) -> None:
    """UsageError for a file that no collector would read."""
    if path.suffix != ENDING:
        hint = f"the collector reads no others: {path.with_suffix(ENDING)}"
        raise UsageError(f"the file's name does not end in {ENDING}", where=f"--textfile {path}", hint=hint)


def for_a_service(path: Path | None) -> Path | None:
    """The file as a confined service writes it: its path absolute; UsageError where no collector would see it."""
    if path is None:
        return None
    refuse_other_ending(path)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  a link is what the collector reads through, too
    if any(folder in absolute.parents for folder in PRIVATE):
        what = "the service has a /tmp of its own: nobody else would see this file"
        raise UsageError(what, where=f"--textfile {path}", hint="name one in the folder of node_exporter's collector")
    return absolute
