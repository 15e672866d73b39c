"""The Ed25519 key that seals this control node's ledger. The only owner of `cryptography`."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import JournalError
from memrunbook.state import disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

RAW = 32


class SealingKey:
    """A key that signs; `public` is its public half in hex."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, content: bytes) -> str:
        """The signature of the content, in hex."""
        return self._private.sign(content).hex()


def key_file(state: Path) -> Path:
    """Where the key of a state directory lies: 32 raw bytes, readable by its owner alone."""
    return state / "keys" / "ledger.key"


def load(state: Path) -> SealingKey:
    """The key; JournalError where it is missing, damaged or readable by others."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_file(state)
    with disk.explained(path, "be read"):
        raw, mode = path.read_bytes(), path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise JournalError("others may read the sealing key", where=str(path), hint=f"chmod 600 {path}")
    if len(raw) != RAW:
        raise JournalError("the sealing key is damaged", where=str(path), hint="restore it from a backup")
    return SealingKey(Ed25519PrivateKey.from_private_bytes(raw))


def make(state: Path) -> SealingKey:
    """Makes the key at first use; whole or not at all."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_file(state)
    draft = path.with_suffix(".new")
    disk.make_directory(path.parent)
    with disk.explained(path, "be made"):
        draft.unlink(missing_ok=True)
        disk.create(draft, Ed25519PrivateKey.generate().private_bytes_raw())
        draft.rename(path)
        disk.sync_directory(path.parent)
    return load(state)


def signed(public: str, signature: str, content: bytes) -> bool:
    """True where the signature is that of the content under the public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
