"""A passkey in software: answers as a browser with an authenticator does."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from memrunbook.state.passkeys import BrowserAnswer, passkey_of
from memrunbook.state.signatures import SigningKey

TOUCHED_AND_KNOWN = 0x05


@dataclass
class Passkey:
    """For one relying party; `flags` are those of the authenticator."""

    relying_party: str = "localhost"
    origin: str = "http://localhost:8642"
    flags: int = TOUCHED_AND_KNOWN
    extensions: bytes = b""
    counter: int = 0
    secret: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def key(self) -> SigningKey:
        """Its public key."""
        point = self.secret.public_key().public_numbers()
        return passkey_of(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"), self.relying_party)

    def line(self, name: str) -> str:
        """Its line in allowed_signers."""
        return f"{name} {self.key.kind} {base64.b64encode(self.key.blob).decode()}\n"

    def answers(self, challenge: bytes, kind: str = "webauthn.get") -> BrowserAnswer:
        """What it signs for a challenge."""
        self.counter += 1
        said = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        words = {"type": kind, "challenge": said, "origin": self.origin, "crossOrigin": False}
        client = json.dumps(words, separators=(",", ":")).encode()
        party = hashlib.sha256(self.relying_party.encode()).digest()
        head = party + bytes([self.flags]) + self.counter.to_bytes(4, "big") + self.extensions
        proof = self.secret.sign(head + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return BrowserAnswer(head, client, proof, self.origin)
