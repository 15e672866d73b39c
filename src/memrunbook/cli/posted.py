"""Reads a document from stdin, whoever hands it over: never longer than a while, and never more than so much."""

from __future__ import annotations

import os
import select
import time
from io import UnsupportedOperation
from typing import BinaryIO

from memrunbook.core.errors import UsageError
from memrunbook.core.units import format_duration

PATIENCE = 60.0
"""Seconds: who has the whole document needs no second to hand it over."""
AT_ONCE = 1 << 16


def read_posted(stream: BinaryIO, most: int, patience: float = PATIENCE) -> bytes:
    """All of it, or its first bytes where it is longer; UsageError where it has no end within so many seconds."""
    try:
        number = stream.fileno()
    except (UnsupportedOperation, AttributeError):  # no file: all of it is there
        return stream.read(most)
    found, until = bytearray(), time.monotonic() + patience
    while len(found) < most:
        if not select.select([number], [], [], max(0.0, until - time.monotonic()))[0]:
            what = f"stdin was not closed within {format_duration(patience)}: {len(found)} bytes came"
            raise UsageError(what, hint="close it behind the document: runbook alert < FILE")
        part = os.read(number, min(AT_ONCE, most - len(found)))
        if not part:
            break
        found += part
    return bytes(found)
