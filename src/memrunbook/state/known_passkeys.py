"""The passkeys that were registered with a state directory: whose each is, and how often it says that it was used."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core.errors import UsageError
from memrunbook.state import disk
from memrunbook.state.audit import AuditFinding
from memrunbook.state.lines import decoded
from memrunbook.state.sealed_file import SealedFile, doubts
from memrunbook.state.signatures import PASSKEY, FaultySignatureError, SigningKey, key_of

FILE = "passkeys.jsonl"


class KnownPasskey(Struct, frozen=True, kw_only=True):
    """A passkey of a `person`, by the names of `allowed_signers`, for a `relying_party` (the name of a host).

    `credential` is its id (base64url), `key` the SSH key that it is (base64 of `passkeys.passkey_of`), `at` when it was
    registered (UTC).
    """

    person: str
    credential: str
    key: str
    relying_party: str
    at: str

    @property
    def signing_key(self) -> SigningKey:
        """The key; FaultySignatureError where it is none."""
        try:
            return key_of(base64.b64decode(self.key, validate=True))
        except binascii.Error:
            raise FaultySignatureError("the passkey is damaged") from None

    @property
    def allowed(self) -> str:
        """The line of `allowed_signers` by which its approvals count."""
        return f"{self.person} {PASSKEY} {self.key}"


class _Change(Struct, frozen=True, kw_only=True):
    """One line: a passkey was added, was used (its counter stood at `count`), or removed."""

    change: Literal["added", "used", "removed"]
    credential: str
    at: str
    person: str = ""
    key: str = ""
    relying_party: str = ""
    count: int = 0


def passkeys_file(state: Path) -> Path:
    """Where they stand."""
    return state / FILE


def known_passkeys(state: Path) -> Sequence[KnownPasskey]:
    """All that are registered now, the oldest first."""
    return [one for one, _ in _known(passkeys_file(state)).values()]


def passkey_count(state: Path, credential: str) -> int:
    """Where the counter of a passkey stood when it was used last; 0 where it has none, as those that are synced."""
    return _known(passkeys_file(state)).get(credential, (None, 0))[1]


def add_passkey(state: Path, one: KnownPasskey, count: int = 0) -> None:
    """Registers a passkey, on the disk when it returns; UsageError for one that is registered already."""
    path = passkeys_file(state)
    with SealedFile.opened(path) as file:
        if one.credential in _known(path):
            raise UsageError("this passkey is registered already", where=str(path), hint="runbook passkey list")
        file.append({**msgspec.to_builtins(one), "change": "added", "count": count})


def passkey_used(state: Path, credential: str, count: int, at: str) -> bool:
    """Keeps where the counter of a passkey stands now; False where it went back meanwhile, or the passkey is gone."""
    path = passkeys_file(state)
    with SealedFile.opened(path) as file:
        known = _known(path).get(credential)
        if known is None or (max(count, known[1]) and count <= known[1]):
            return False
        if count:
            file.append(msgspec.to_builtins(_Change(change="used", credential=credential, at=at, count=count)))
    return True


def remove_passkey(state: Path, credential: str, at: str) -> KnownPasskey | None:
    """Takes a passkey away, on the disk when it returns; it, or None where there is none of this id."""
    path = passkeys_file(state)
    if not path.exists():
        return None
    with SealedFile.opened(path) as file:
        known = _known(path).get(credential)
        if known is None:
            return None
        file.append(msgspec.to_builtins(_Change(change="removed", credential=credential, at=at)))
    return known[0]


def passkey_doubts(state: Path) -> Iterator[AuditFinding]:
    """Where the chain is not as it was written."""
    return doubts(passkeys_file(state))


def _known(path: Path) -> dict[str, tuple[KnownPasskey, int]]:
    """Each passkey with its counter, by its id."""
    found: dict[str, tuple[KnownPasskey, int]] = {}
    for one in decoded(disk.contents(path), _Change):
        if one.change == "added" and one.credential not in found:
            key = KnownPasskey(
                person=one.person, credential=one.credential, key=one.key, relying_party=one.relying_party, at=one.at
            )
            found[one.credential] = key, one.count
        elif one.change == "removed":
            found.pop(one.credential, None)
        elif one.credential in found:
            found[one.credential] = found[one.credential][0], one.count
    return found
