"""One JSON document, as `schemas/` describes it; a run's records before it are one a line."""

from __future__ import annotations

import sys
import textwrap
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memrunbook.cli.reply import Color, Reply

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
    write(_encoded(record))


def write(content: bytes) -> None:
    """Writes one JSON value, and at once."""
    with _TURN:
        sys.stdout.write(content.decode() + "\n")
        sys.stdout.flush()


def without_secrets(document: Struct) -> bytes:
    """A document, or a part of one, on one line, what looks like a secret hidden."""
    import msgspec

    from memrunbook.runtime.redaction import may_hold_secret, redacted

    content = _encoded(document)
    if may_hold_secret(content.decode()):
        content = msgspec.json.encode(redacted(msgspec.json.decode(content)))
    return content


def _encoded(value: object) -> bytes:
    import msgspec

    from memrunbook.core.text import encodable
    from memrunbook.core.units import encode

    try:
        return msgspec.json.encode(value, enc_hook=encode)
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(value, enc_hook=encode)))
