"""One JSON document, as `schemas/` describes it; a run's records before it are one a line."""

from __future__ import annotations

import sys
import textwrap
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memrunbook.cli.reply import Color, Reply
from memrunbook.documents.written import encoded, without_secrets

if TYPE_CHECKING:
    from msgspec import Struct

    from memrunbook.documents.printed import Document

CONVERSES = False
BY_HOST = False
_TURN = threading.Lock()
"""Several hosts speak from several threads: a line is written whole."""


def show(reply: Reply, color: Color) -> None:
    """Writes the document, what looks like a secret hidden; on one line where it ends a stream of lines."""
    import msgspec

    del color
    document = reply.document()
    if reply.hosts is not None:
        _write_by_host(document, reply.hosts)
        return
    content = without_secrets(document)
    write(content if document.one_line else msgspec.json.format(content, indent=2))


def _write_by_host(document: Document, hosts: Sequence[bytes]) -> None:
    """Writes the document as if its `hosts` had been in it, one after the other."""
    import msgspec

    frame = msgspec.json.format(without_secrets(msgspec.structs.replace(document, hosts=())), indent=2).decode()
    before, _, after = frame.partition('"hosts": []')  # no text holds this: its quotes would be escaped
    with _TURN:
        sys.stdout.write(f'{before}"hosts": [')
        for place, packed in enumerate(hosts):
            text = msgspec.json.format(zlib.decompress(packed), indent=2).decode()
            sys.stdout.write(f"{',' if place else ''}\n{textwrap.indent(text, '    ')}")
        sys.stdout.write("\n  ]" if hosts else "]")
        sys.stdout.write(f"{after}\n")
        sys.stdout.flush()


def pack(part: Struct) -> bytes:
    """Its JSON, what looks like a secret hidden, in a tenth of the space."""
    return zlib.compress(without_secrets(part), 1)


def host(line: Callable[[], Document]) -> None:
    """The document has all hosts."""


def record(record: Mapping[str, Any]) -> None:
    """Writes a record on a line of its own."""
    write(encoded(record))


def write(content: bytes) -> None:
    """Writes one JSON value, and at once."""
    with _TURN:
        sys.stdout.write(content.decode() + "\n")
        sys.stdout.flush()
