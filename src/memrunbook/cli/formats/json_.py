"""One JSON document, as `schemas/` describes it; a run's records before it are one a line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from memrunbook.cli.reply import Color, Reply

if TYPE_CHECKING:
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
    content = without_secrets(document)
    write(content if document.one_line else msgspec.json.format(content, indent=2))


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


def without_secrets(document: Document) -> bytes:
    """A document on one line, what looks like a secret hidden."""
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
