"""A glance at the switch in a store that is a file, without the library of databases: a diagnosis need not load it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

NEWEST = "SELECT off FROM switches ORDER BY id DESC LIMIT 1"
PATIENCE = 1.0
"""Seconds that a writer is waited for."""


def surely_on(file: Path) -> bool:
    """True where the file says that changes may be made; False also where it cannot be read in this way."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            newest = connection.execute(NEWEST).fetchone()
    except sqlite3.Error:
        return False
    return newest is None or newest[0] == 0
