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
from memrunbook.runtime.named_file import read_named, read_named_text
from memrunbook.transports.shared.key_files import LARGEST_KEY
from memrunbook.transports.shared.ssh_settings import home

_FIELDS = 3
KIND = "KIND"
LARGEST = 64 << 20
"""Bytes of a list of host keys: 200,000 of them."""
"""Stands in a `scan` for the type of key that is asked for."""
NOWHERE = Path("/dev/null")
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

    @property
    def rsa_bits(self) -> int:
        """The length of an RSA key, its third field (RFC 4253, 6.6); 0 for any other key."""
        if self.kind != "ssh-rsa":
            return 0
        rest = self.blob
        for _ in range(2):
            rest = rest[4 + int.from_bytes(rest[:4]) :]
        return int.from_bytes(rest[4 : 4 + int.from_bytes(rest[:4])]).bit_length()


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

    def __init__(self, paths: Iterable[Path], *, named: bool = True) -> None:
        """Reads them; a missing file is empty. Raises UsageError where one cannot be read that a person has `named`.

        Those of a configuration are passed over then, as ssh does: whose key stands there alone is not known.
        """
        self._paths = tuple(paths)
        self._lock = threading.Lock()
        self._exact: dict[str, list[KnownKey]] = {}
        self._patterns: list[KnownKey] = []
        self._unread: list[str] = []
        for path in self._paths:
            try:
                lines = list(_read(path))
            except UsageError as error:
                if named:
                    raise
                self._unread.append(f"{path} {error.message}")
                continue
            for known in lines:
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
        """The authorities that may sign certificates of this host; those of its name alone where none has its port."""
        lines = self._lines(name, authority=True) or self._lines(without_port(name), authority=True)
        return [known for known in lines if not known.revoked]

    def _lines(self, name: str, *, authority: bool) -> list[KnownKey]:
        exact = [known for known in self._exact.get(name, []) if known.authority is authority]
        return exact + [known for known in self._patterns if known.authority is authority and known.is_for(name)]

    def verify(self, name: str, key: HostKey, *, accept_new: bool = False, scan: str = "") -> None:
        """Returns when the key is known for this host, or is new and may be added; else raises HostKeyError.

        As for ssh, a key that is known for the name without its port is known where none is for both. `scan` is the
        command that shows the host's keys as lines of known_hosts.
        """
        known = self.lookup(name)
        if not known and (bare := without_port(name)):
            known = [line for line in self.lookup(bare) if line.key == key]
        if any(line.revoked and line.key == key for line in known):
            raise revoked(name, key.fingerprint)
        valid = [line for line in known if not line.revoked]
        if any(line.key == key for line in valid):
            return
        if valid or not accept_new:
            raise self.fault(name, key.kind, key.fingerprint, scan)
        self._add(name, key)

    def fault(self, name: str, kind: str, fingerprint: str, scan: str = "") -> HostKeyError:
        """What to say of a host's key that is not one of those that are known: unknown, changed, or without its CA."""
        valid = [line for line in self.lookup(name) if not line.revoked]
        if valid:
            return _changed(name, kind, fingerprint, next((line for line in valid if line.key.kind == kind), valid[0]))
        if vouching := self.authorities(name):
            return uncertified(name, f"{kind} {fingerprint}", vouching[0])
        unread = f" ({'; '.join(self._unread)})" if self._unread else ""
        return HostKeyError(
            f"the host key is not known: {kind} {fingerprint}{unread}",
            where=name,
            hint="compare the fingerprint on the host's console, then " + self._remedy(kind, scan),
        )

    def _remedy(self, kind: str, scan: str) -> str:
        if self._target() == NOWHERE:
            return "name it in --known-hosts FILE (the ssh configuration keeps none), or pin it by host_key_sha256"
        if not scan:
            return "add --accept-new-host-keys: ssh-keyscan knows no way there"
        return f"add --accept-new-host-keys, or run: {scan.replace(KIND, _scan_type(kind))} >>{self._target()}"

    def _target(self) -> Path:
        """The file that new keys go to."""
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


def kind_and_bits(path: Path) -> tuple[str, int]:
    """The type of a private key and the length of an RSA one, by the public half beside it; empty where that is not."""
    try:
        kind, blob = read_named(path.with_name(path.name + ".pub"), LARGEST_KEY).decode("ascii").split()[:2]
        return kind, HostKey(kind, base64.b64decode(blob)).rsa_bits
    except (OSError, ValueError):
        return "", 0


def without_port(name: str) -> str:
    """The name of "[name]:port"; empty where there is no port in it."""
    return name[1:].rpartition("]:")[0] if name.startswith("[") else ""


def short_key(name: str, bits: int, least: int) -> HostKeyError:
    """That the host's RSA key is shorter than the configuration allows."""
    return HostKeyError(
        f"the host key is RSA with {bits or 'too few'} bits: RequiredRSASize of the ssh configuration is {least}",
        where=name,
        hint="the host needs a longer key (ssh-keygen -A -f / makes those that are missing)",
    )


def revoked_by_file(name: str, fingerprint: str, file: str, why: str = "") -> HostKeyError:
    """That the file of RevokedHostKeys names the key, or cannot be read: then ssh trusts nobody."""
    if why:
        hint = "RevokedHostKeys of the ssh configuration names it: without it no host is trusted"
        return HostKeyError(f"the file of revoked keys cannot be read: {file}: {why}", where=name, hint=hint)
    return HostKeyError(
        f"the host key {fingerprint} is revoked by {file}",
        where=name,
        hint="the host needs a new key: somebody else may hold this one",
    )


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
        text = read_named_text(path, LARGEST, "replace")
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
