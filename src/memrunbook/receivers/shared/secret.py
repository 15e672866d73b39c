"""Reads what stands on no command line and in no config.yaml: from a file, or a variable of the environment."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

from memrunbook.receivers.shared.receiver import NotTaken
from memrunbook.runtime.named_file import read_named_text
from memrunbook.runtime.secrets_told import told

TOKEN = re.compile(r"(?<![\w.-])(?=[A-Za-z_]*[0-9])(?=[0-9_]*[A-Za-z])[A-Za-z0-9_]{16,}(?![\w.-])")
"""A part of an URL that is no name any more: letters and digits, and many of them."""
LEAST = 8
"""Characters of a path or query that is hidden: "/hook" alone would be found in paths of others."""
LARGEST = 64 << 10
"""Bytes of such a file."""


def secret(file: str, variable: str) -> str:
    """What stands there, blanks around it left out; empty where neither is named. From now on it is hidden everywhere.

    NotTaken where it cannot be read, is empty, or lies open for everybody. Its place stands in no "PLACE: words": of a
    file that is called secret the words would be taken for what is in it, and hidden.
    """
    if not file and not variable:
        return ""
    where = file or f"${variable}"
    found = (_of_file(file) if file else os.environ.get(variable, "")).strip()
    if not found:
        raise NotTaken(f"there is no secret in {where}", hint="put it there, and nothing else")
    hide(*found.splitlines())
    return found


def hide(*secrets: str) -> None:
    """From now on these are hidden everywhere.

    Of an URL its path and its query too, and each token in them: an answer, or a library, tells them without the rest.
    """
    for one in secrets:
        user, sign, _ = one.partition("://")[2].rpartition("@")
        password = [user.partition(":")[2]] if sign else []
        parts = TOKEN.findall(one) if "://" in one else []
        for word in (one, *password, *_behind_host(one), *parts):
            with suppress(ValueError):  # too short to be told from other words
                told.add(word)


def _behind_host(url: str) -> Iterator[str]:
    """The path and the query of an URL, where they are long enough to be a secret and no word of others."""
    _, sign, rest = url.partition("://")
    _, slash, behind = rest.partition("/") if sign else ("", "", "")
    path, _, query = behind.partition("?")
    yield from (word for word in (f"{slash}{path}", query) if len(word) >= LEAST)


def _of_file(file: str) -> str:
    path = Path(file)
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise NotTaken(f"everybody may read the secret in {file}", hint=f"chmod o= {file}")
        return read_named_text(path, LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        missing = isinstance(error, FileNotFoundError)
        make = f"install -m 600 /dev/null {quote(file)}, then write it there"
        hint = make if missing else "see whose file it is, and that you may read it"
        raise NotTaken(f"the secret in {file} cannot be read ({why})", hint=hint) from None
