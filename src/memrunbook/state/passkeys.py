"""A passkey as the SSH key that it is, and what it signed as an SSH signature: `ssh-keygen -Y verify` takes both."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.state.signatures import (
    BY_BROWSER,
    PASSKEY,
    FaultySignatureError,
    SigningKey,
    armoured,
    ecdsa_proof,
    key_of,
    wired,
)

HEAD = 37
"""Bytes of authenticator data before its extensions: the hash of the relying party, flags, a counter (WebAuthn 6.1)."""
COORDINATE = 32
CURVE = b"nistp256"


@dataclass(frozen=True)
class BrowserAnswer:
    """What `navigator.credentials.get()` answered: its three parts as bytes, and the page's origin."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes
    origin: str


def passkey_of(x: bytes, y: bytes, relying_party: str) -> SigningKey:
    """The key of a passkey (ES256) with the public point (x, y: 32 bytes each) for a relying party, as of WebAuthn."""
    if len(x) != COORDINATE or len(y) != COORDINATE:
        raise FaultySignatureError("the passkey is damaged")
    return key_of(wired(PASSKEY.encode(), CURVE, b"\4" + x + y, relying_party.encode()))


def signed_by_passkey(key: SigningKey, answer: BrowserAnswer) -> str:
    """The armoured signature; whether it holds is for `signatures.verified` to say. FaultySignatureError for none."""
    head = answer.authenticator_data
    if len(head) < HEAD:
        raise FaultySignatureError("it is cut short")
    flags_and_counter, extensions = head[HEAD - 5 : HEAD], head[HEAD:]
    said = wired(answer.origin.encode(), answer.client_data, extensions)
    return armoured(key.blob, wired(BY_BROWSER.encode(), ecdsa_proof(answer.signature)) + flags_and_counter + said)
