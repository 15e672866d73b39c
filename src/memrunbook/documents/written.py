"""Writes documents as JSON, what looks like a secret hidden."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from memrunbook.core.text import encodable
from memrunbook.core.units import encode
from memrunbook.runtime.redaction import may_hold_secret, redacted


def without_secrets(document: Struct) -> bytes:
    """A document, or a part of one, on one line, what looks like a secret hidden."""
    content = encoded(document)
    if may_hold_secret(content.decode()):
        content = msgspec.json.encode(redacted(msgspec.json.decode(content)))
    return content


def encoded(value: object) -> bytes:
    """A value as JSON on one line; what is no text stands as an escape."""
    try:
        return msgspec.json.encode(value, enc_hook=encode)
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(value, enc_hook=encode)))
