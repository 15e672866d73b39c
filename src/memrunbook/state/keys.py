"""The Ed25519 key that seals this control node's ledger, each member's own where a team shares it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import JournalError
from memrunbook.state import disk
from memrunbook.state.ownership import is_shared, member, user_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

RAW = 32
LONGEST = 1 << 10
PUBLIC = re.compile(r"[0-9a-f]{64}", re.ASCII)
NUMBER = re.compile(r"\d{1,10}", re.ASCII)


class SealingKey:
    """A key that signs; `public` is its public half in hex."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, content: bytes) -> str:
        """The signature of the content, in hex."""
        return self._private.sign(content).hex()


def key_file(state: Path) -> Path:
    """Where the key of a state directory lies: 32 raw bytes, readable by its owner alone; in a team each has one."""
    return state / "keys" / f"ledger{member(state)}.key"


def public_file(state: Path) -> Path:
    """Where its public half lies, in hex, for those who verify; of a team the name says whose it must be (uid)."""
    return key_file(state).with_suffix(".pub")


@dataclass(frozen=True)
class SealingKeys:
    """The public keys by which a state directory's ledger may be sealed, each with the uid of its owner.

    `faults` are files that vouch for nobody, with the reason.
    """

    owners: Mapping[str, int]
    faults: Mapping[Path, str]


def known(state: Path) -> SealingKeys:
    """The keys that count: a team's, one user's, or in a copy without what signs the public halves that are there.

    JournalError for one user's that is damaged or readable by others, and where there is none at all.
    """
    published = disk.listed(state / "keys", "ledger*.pub")
    if is_shared(state) or (published and not os.path.lexists(key_file(state))):
        return _published(published, copied=not is_shared(state))
    public = public_file(state)
    if not os.path.lexists(key_file(state)):
        hint = "copy that file too (it is no secret); an older version makes none before its next run"
        raise JournalError("neither the sealing key nor its public half is here", where=str(public), hint=hint)
    own = load(state).public
    other = public in published and _text(public) != own
    return SealingKeys({own: os.geteuid()}, {public: "it is not the public half of the key beside it"} if other else {})


def _published(files: Sequence[Path], *, copied: bool) -> SealingKeys:
    """The keys of public halves; what is `copied` belongs to whoever copied it, so that only its name says whose."""
    owners: dict[str, int] = {}
    faults: dict[Path, str] = {}
    for path in files:
        with disk.explained(path, "be read"):
            owner = path.stat().st_uid
        text, name = _text(path), path.stem.partition("-")[2]
        if PUBLIC.fullmatch(text) is None or (name and not NUMBER.fullmatch(name)):
            faults[path] = "this is no public key"
        elif name and name != str(owner) and not copied:
            faults[path] = f"the key of uid {name} was put there by {user_name(owner)}: it vouches for nobody"
        else:
            owners[text] = int(name or owner)
    return SealingKeys(owners, faults)


def _text(public: Path) -> str:
    return disk.contents(public, LONGEST).decode("ascii", "replace").removesuffix("\n")


def load(state: Path) -> SealingKey:
    """The key; JournalError where it is missing, damaged or readable by others."""
    return _load(key_file(state))


def _load(path: Path) -> SealingKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    with disk.explained(path, "be read"):
        mode = path.stat().st_mode
    raw = disk.contents(path, LONGEST)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise JournalError("others may read the sealing key", where=str(path), hint=f"chmod 600 {path}")
    if len(raw) != RAW:
        raise JournalError("the sealing key is damaged", where=str(path), hint="restore it from a backup")
    return SealingKey(Ed25519PrivateKey.from_private_bytes(raw))


def own(state: Path, *, first: bool) -> SealingKey:
    """The key of whoever seals now: made at the `first` entry of a ledger, or of a member of a team.

    JournalError where it is missing though it was used before.
    """
    path, public = key_file(state), public_file(state)
    shared = is_shared(state)
    with disk.explained(path, "be looked at"):
        new = not path.exists() and not public.exists() and (shared or first)
    key = make(state) if new else load(state)
    _publish(public, key)
    if shared:
        _publish_older(state)
    return key


def _publish(public: Path, key: SealingKey) -> None:
    if not public.exists():
        disk.create(public, f"{key.public}\n".encode("ascii"))


def _publish_older(state: Path) -> None:
    """The key of the time before the directory was a team's: whoever has it lets the others verify what it sealed."""
    older = state / "keys" / "ledger.key"
    if older.exists() and older.stat().st_uid == os.geteuid():
        _publish(older.with_suffix(".pub"), _load(older))


def make(state: Path) -> SealingKey:
    """Makes the key at first use; whole or not at all."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_file(state)
    draft = path.with_suffix(".new")
    disk.make_directory(path.parent, own=True)
    with disk.explained(path, "be made"):
        draft.unlink(missing_ok=True)
        disk.create(draft, Ed25519PrivateKey.generate().private_bytes_raw(), shared=0o600)
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
