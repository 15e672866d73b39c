"""Reads what stands on no command line and in no config.yaml: from a file, or a variable of the environment."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from memrunbook.receivers.shared.receiver import NotTaken
from memrunbook.runtime.named_file import read_named_text
from memrunbook.runtime.secrets_told import told

LARGEST = 64 << 10
"""Bytes of such a file."""


def secret(file: str, variable: str) -> str:
    """What stands there, blanks around it left out; empty where neither is named. From now on it is hidden everywhere.

    NotTaken where it cannot be read, is empty, or lies open for everybody.
    """
    if not file and not variable:
        return ""
    where = file or f"${variable}"
    found = (_of_file(file) if file else os.environ.get(variable, "")).strip()
    if not found:
        raise NotTaken("there is no secret in it", where=where, hint="put it there, and nothing else")
    for line in found.splitlines():
        with suppress(ValueError):  # too short to be told from other words
            told.add(line)
    return found


def _of_file(file: str) -> str:
    path = Path(file)
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise NotTaken("everybody may read this secret", where=file, hint=f"chmod o= {file}")
        return read_named_text(path, LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        hint = "see whose file it is, and that you may read it"
        raise NotTaken(f"the secret cannot be read: {why}", where=file, hint=hint) from None
