"""What a browser is handed and must bring back as it was, once and in time: nothing is kept for those who never do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from memrunbook.web.base64url import packed, unpacked

NONCE, MAC, UNTIL = 16, 32, struct.Struct(">d")
LASTS = 300.0
"""Seconds."""


@dataclass
class Tickets:
    """Sealed by a key that this process alone has. `now` is a clock that only goes forward."""

    now: Callable[[], float]
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _used: dict[bytes, float] = field(default_factory=dict)

    def issue(self, purpose: str, content: str = "", lasts: float = LASTS) -> str:
        """A new one (base64url); its content can be read by whoever has it."""
        body = secrets.token_bytes(NONCE) + UNTIL.pack(self.now() + lasts) + content.encode()
        return packed(body + self._mac(purpose, body))

    def redeem(self, purpose: str, ticket: str) -> str | None:
        """The content; None for one that is not ours, is for something else, is too old, or was brought before."""
        try:
            raw = unpacked(ticket)
        except ValueError:
            return None
        body, mac = raw[:-MAC], raw[-MAC:]
        if len(body) < NONCE + UNTIL.size or not hmac.compare_digest(mac, self._mac(purpose, body)):
            return None
        nonce, until, now = body[:NONCE], UNTIL.unpack_from(body, NONCE)[0], self.now()
        self._used = {one: end for one, end in self._used.items() if end > now}
        if until <= now or nonce in self._used:
            return None
        self._used[nonce] = until
        return body[NONCE + UNTIL.size :].decode()

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + body, hashlib.sha256).digest()
