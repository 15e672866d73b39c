"""File names for hosts and evidence: safe whatever the name, and never two names in one file."""

from __future__ import annotations

import hashlib
import re

UNSAFE = re.compile(rb"[^A-Za-z0-9._-]|^\.")
LONGEST = 200
RESERVED = frozenset({"run", "evidence"})


def file_name(name: str) -> str:
    """The name with every unsafe byte as %NN; long ones end in %~ and their SHA-256."""
    encoded = UNSAFE.sub(_escaped, name.encode("utf-8", "surrogatepass")).decode("ascii")
    if len(encoded) > LONGEST:
        return f"{encoded[:100]}%~{hashlib.sha256(encoded.encode()).hexdigest()}"
    if encoded in RESERVED or not encoded:
        return f"%~{encoded}"
    return encoded


def name_of(file: str) -> str:
    """The name behind a file name; of a long one its beginning."""
    encoded = file.removeprefix("%~").partition("%~")[0].encode("ascii", "replace")
    raw = re.sub(rb"%([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), encoded)
    return raw.decode("utf-8", "replace")


def _escaped(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]
