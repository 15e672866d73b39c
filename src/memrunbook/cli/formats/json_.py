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

    from memrunbook.core.units import encode
    from memrunbook.documents.printed.run import RunSummary
    from memrunbook.runtime.redaction import may_hold_secret, redacted

    del color
    document = reply.document()
    content = msgspec.json.encode(document, enc_hook=encode)
    if may_hold_secret(content.decode()):
        content = msgspec.json.encode(redacted(msgspec.json.decode(content)))
    indent = -1 if isinstance(document, RunSummary) else 2
    written = content if indent < 0 else msgspec.json.format(content, indent=indent)
    sys.stdout.write(written.decode() + "\n")


def record(record: Mapping[str, Any]) -> None:
    """Writes a record on a line of its own."""
    import msgspec

    from memrunbook.core.units import encode

    sys.stdout.write(msgspec.json.encode(record, enc_hook=encode).decode() + "\n")
    sys.stdout.flush()
