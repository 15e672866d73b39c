"""Bytes as browsers write them: base64url without what fills it up (RFC 4648, section 5)."""

from __future__ import annotations

import base64
import binascii


def packed(content: bytes) -> str:
    """Bytes as text."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unpacked(given: str) -> bytes:
    """The bytes of such a text; ValueError for anything else."""
    try:
        return base64.b64decode(f"{given}{'=' * (-len(given) % 4)}", altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError):
        raise ValueError from None
