"""The host keys that are known: files parsed once, one host looked up in them, a new key added on demand."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import HostKeyError, UsageError
from memrunbook.transports.shared.ssh_settings import home

_FIELDS = 3
PINNED = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")


@dataclass(frozen=True)
class HostKey:
    """A public host key: its type ("ssh-ed25519") and its bytes."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """The fingerprint as OpenSSH shows it: `SHA256:` and base64 without padding."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class KnownKey:
    """One line of a known_hosts file; `authority` where its key signs the certificates of hosts."""

    names: tuple[str, ...]
    key: HostKey
    revoked: bool
    where: str
    authority: bool = False

    def is_for(self, name: str) -> bool:
        """True when the line is for this host: plain names, patterns, negations or hashed names."""
        if any(_matches(name, pattern[1:]) for pattern in self.names if pattern.startswith("!")):
            return False
        return any(_matches(name, pattern) for pattern in self.names)


def _matches(name: str, pattern: str) -> bool:
    if not pattern.startswith("|1|"):
        # "[name]:port" is a literal, not a set of characters
        return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
    salt, _, digest = pattern[3:].partition("|")
    try:
        made = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return hmac.compare_digest(made, base64.b64decode(digest))
    except ValueError:
        return False


class KnownHosts:
    """The lines of some known_hosts files. Safe to share between threads."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Reads them; a missing file is empty. Raises UsageError where one cannot be read."""
        self._paths = tuple(paths)
        self._lock = threading.Lock()
        self._exact: dict[str, list[KnownKey]] = {}
        self._patterns: list[KnownKey] = []
        for path in self._paths:
            for known in _read(path):
                self._remember(known)

    def _remember(self, known: KnownKey) -> None:
        if any(name[0] in "|!" or set(name) & set("*?") for name in known.names):
            self._patterns.append(known)
        else:
            for name in known.names:
                self._exact.setdefault(name, []).append(known)

    def lookup(self, name: str) -> list[KnownKey]:
        """The lines with keys of a host: "name", or "[name]:port" where the port is not 22."""
        return self._lines(name, authority=False)

    def authorities(self, name: str) -> list[KnownKey]:
        """The authorities that may sign certificates of this host."""
        return [known for known in self._lines(name, authority=True) if not known.revoked]

    def _lines(self, name: str, *, authority: bool) -> list[KnownKey]:
        exact = [known for known in self._exact.get(name, []) if known.authority is authority]
        return exact + [known for known in self._patterns if known.authority is authority and known.is_for(name)]

    def verify(self, name: str, key: HostKey, *, accept_new: bool = False) -> None:
        """Returns when the key is known for this host, or is new and may be added; else raises HostKeyError."""
        known = self.lookup(name)
        if any(line.revoked and line.key == key for line in known):
            raise revoked(name, key.fingerprint)
        valid = [line for line in known if not line.revoked]
        if any(line.key == key for line in valid):
            return
        if valid or not accept_new:
            raise self.fault(name, key.kind, key.fingerprint)
        self._add(name, key)

    def fault(self, name: str, kind: str, fingerprint: str) -> HostKeyError:
        """What to say of a host's key that is not one of those that are known: unknown, changed, or without its CA."""
        valid = [line for line in self.lookup(name) if not line.revoked]
        if valid:
            return _changed(name, kind, fingerprint, next((line for line in valid if line.key.kind == kind), valid[0]))
        if vouching := self.authorities(name):
            return uncertified(name, f"{kind} {fingerprint}", vouching[0])
        return self._unknown(name, kind, fingerprint)

    def _unknown(self, name: str, kind: str, fingerprint: str) -> HostKeyError:
        address, port = name[1:].split("]:") if name.startswith("[") else (name, "22")
        scan = f"ssh-keyscan -t {_scan_type(kind)} -p {port} {address} >>{self._target()}"
        return HostKeyError(
            f"the host key is not known: {kind} {fingerprint}",
            where=name,
            hint=f"compare the fingerprint on the host's console, then: {scan}  (or --accept-new-host-keys)",
        )

    def _target(self) -> Path:
        return self._paths[0] if self._paths else home() / ".ssh" / "known_hosts"

    def _add(self, name: str, key: HostKey) -> None:
        path = self._target()
        line = f"{name} {key.kind} {base64.b64encode(key.blob).decode()}\n"
        with self._lock:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
                with path.open("a", encoding="ascii") as file:
                    file.write("\n" + line if torn else line)
            except OSError as error:
                raise HostKeyError(f"the new host key could not be saved: {error}", where=str(path)) from error
            self._remember(KnownKey((name,), key, revoked=False, where=str(path)))


def _changed(name: str, kind: str, fingerprint: str, known: KnownKey) -> HostKeyError:
    file = known.where.rpartition(":")[0] or known.where
    return HostKeyError(
        f"THE HOST KEY HAS CHANGED: known is {known.key.kind} {known.key.fingerprint} ({known.where}), "
        f"the host shows {kind} {fingerprint}",
        where=name,
        hint="somebody may be in between. If the host was reinstalled and its console shows the new fingerprint: "
        f"ssh-keygen -f {file} -R '{name}'",
    )


def revoked(name: str, fingerprint: str) -> HostKeyError:
    """That a host shows a key that nobody may trust any more."""
    return HostKeyError(
        f"the host key {fingerprint} is marked as revoked",
        where=name,
        hint="the host needs a new key: somebody else may hold this one",
    )


def uncertified(name: str, shown: str, authority: KnownKey, why: str = "") -> HostKeyError:
    """That a host CA is known for a host which shows no certificate of it that holds."""
    signs = f"the host CA {authority.key.kind} {authority.key.fingerprint} ({authority.where}) vouches for this host"
    return HostKeyError(
        f"{signs}, and the host shows {shown} {why or 'without a certificate of it'}",
        where=name,
        hint="have the CA sign the host's key (ssh-keygen -s CA -h -n NAME; HostCertificate in its sshd_config)",
    )


def other_key(name: str, kind: str, fingerprint: str, pins: Collection[str]) -> HostKeyError:
    """That the host's key is none of those that the inventory names."""
    named = " or ".join(sorted(pins))
    return HostKeyError(
        f"THE HOST KEY IS NOT THE ONE OF THE INVENTORY: host_key_sha256 is {named}, "
        f"the host shows {kind} {fingerprint}",
        where=name,
        hint="somebody may be in between. If its console shows the new fingerprint, put it into the inventory",
    )


def pins_of(text: str, where: str) -> tuple[str, ...]:
    """The fingerprints of `host_key_sha256`, as OpenSSH shows them; several are separated by commas or blanks."""
    words = text.replace(",", " ").split()
    found = [PINNED.fullmatch(word) for word in words]
    if wrong := next((word for word, match in zip(words, found, strict=True) if match is None), ""):
        hint = "write what `ssh-keygen -lf KEY.pub` shows: SHA256: and 43 letters"
        raise UsageError(f"host_key_sha256: {wrong!r} is no fingerprint", where=where, hint=hint)
    return tuple(f"SHA256:{match[1]}" for match in found if match)


def _scan_type(kind: str) -> str:
    return next((word for word in ("ed25519", "ecdsa") if word in kind), "rsa")


def _read(path: Path) -> Iterator[KnownKey]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    for number, line in enumerate(text.splitlines(), start=1):
        known = _parse(line.split(), f"{path}:{number}")
        if known:
            yield known


def _parse(fields: list[str], where: str) -> KnownKey | None:
    # Any other line (a comment, damage) trusts nobody and is passed over.
    marker = fields[0] if fields and fields[0] in ("@revoked", "@cert-authority") else ""
    words = fields[1:] if marker else fields
    if len(words) < _FIELDS or words[0][0] in "#@":
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except ValueError:
        return None
    names = tuple(name for name in words[0].split(",") if name)
    key = HostKey(words[1], blob)
    return KnownKey(names, key, marker == "@revoked", where, marker == "@cert-authority")
