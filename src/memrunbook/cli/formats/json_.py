"""One JSON document, as `schemas/` describes it; a run's records before it are one a line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from memrunbook.cli.reply import Color, Reply

CONVERSES = False


def show(reply: Reply, color: Color) -> None:
    """Writes the document, what looks like a secret hidden; on one line where it ends a stream of lines."""
    import msgspec

    from memrunbook.runtime.redaction import may_hold_secret, redacted

    del color
    document = reply.document()
    content = _encoded(document)
    if may_hold_secret(content.decode()):
        content = msgspec.json.encode(redacted(msgspec.json.decode(content)))
    written = content if document.one_line else msgspec.json.format(content, indent=2)
    sys.stdout.write(written.decode() + "\n")


def record(record: Mapping[str, Any]) -> None:
    """Writes a record on a line of its own."""
    sys.stdout.write(_encoded(record).decode() + "\n")
    sys.stdout.flush()


def _encoded(value: object) -> bytes:
    import msgspec

    from memrunbook.core.text import encodable
    from memrunbook.core.units import encode

    try:
        return msgspec.json.encode(value, enc_hook=encode)
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(value, enc_hook=encode)))
