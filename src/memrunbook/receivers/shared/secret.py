"""Reads what stands on no command line and in no config.yaml: from a file, or a variable of the environment."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from memrunbook.receivers.shared.receiver import NotTaken
from memrunbook.runtime.named_file import read_named_text
from memrunbook.runtime.secrets_told import told

TOKEN = re.compile(r"(?<![\w.-])(?=[A-Za-z_]*[0-9])(?=[0-9_]*[A-Za-z])[A-Za-z0-9_]{16,}(?![\w.-])")
"""A part of an URL that is no name any more: letters and digits, and many of them."""
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
    hide(*found.splitlines())
    return found


def hide(*secrets: str) -> None:
    """From now on these are hidden everywhere, and of URLs each token in them too, which libraries tell alone."""
    for one in secrets:
        user, sign, _ = one.partition("://")[2].rpartition("@")
        password = [user.partition(":")[2]] if sign else []
        parts = TOKEN.findall(one) if "://" in one else []
        for word in (one, *password, *parts):
            with suppress(ValueError):  # too short to be told from other words
                told.add(word)


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
