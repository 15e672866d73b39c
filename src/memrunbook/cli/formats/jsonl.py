"""JSON, one line a host as soon as that host has ended, and a last line that sums up; other answers are one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memrunbook.cli.formats.json_ import record, write
from memrunbook.cli.reply import Color, Reply
from memrunbook.documents.written import without_secrets

if TYPE_CHECKING:
    from msgspec import Struct

    from memrunbook.documents.printed import Document

__all__ = ["BY_HOST", "CONVERSES", "host", "pack", "record", "show"]
CONVERSES = False
BY_HOST = True


def show(reply: Reply, color: Color) -> None:
    """Writes what is left to say: of hosts that were told one by one the sum, else the whole document on a line."""
    del color
    document = reply.document()
    if reply.outcomes is not None:
        from memrunbook.documents.printed.hosts_ended import hosts_ended

        document = hosts_ended(document, reply.outcomes, reply.code)
    write(without_secrets(document))


def host(line: Callable[[], Document]) -> None:
    """Writes the line of a host."""
    write(without_secrets(line()))


def pack(part: Struct) -> bytes:
    """Nothing: the line of the host has been written."""
    del part
    return b""
