"""Machine output: one JSON document with its format's name, as `schemas/` describes it."""

from __future__ import annotations

import sys
from typing import Any

from memrunbook.core.units import encode


def emit(what: str, document: dict[str, Any], *, indent: int = 2) -> int:
    """Writes a document as JSON on stdout; returns exit code 0."""
    import msgspec  # `runbook list` does without it

    from memrunbook.runtime.redaction import redacted

    plain = redacted(msgspec.to_builtins({"format": f"memrunbook.{what}/1", **document}, enc_hook=encode))
    content = msgspec.json.encode(plain)
    sys.stdout.write(msgspec.json.format(content, indent=indent).decode() + "\n")
    return 0


def stream(record: dict[str, Any]) -> None:
    """Writes one record of a stream as one line of JSON."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(record, enc_hook=encode).decode() + "\n")
    sys.stdout.flush()
