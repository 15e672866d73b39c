"""The private keys to log in with: files loaded once for all hosts, what the agent holds, and their certificates."""

from __future__ import annotations

import base64
import copy
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from paramiko import Agent, PasswordRequiredException, PKey, SSHException
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob, UnknownKeyType

from memrunbook.transports.shared.agents import ANSWER, AgentReport
from memrunbook.transports.shared.key_files import is_exposed
from memrunbook.transports.shared.ssh_settings import DEFAULT_KEYS, home

SECURITY_KEYS = (b"sk-ssh-ed25519@openssh.com", b"sk-ecdsa-sha2-nistp256@openssh.com")


class BoundedAgent(Agent):
    """An agent that has answered already, and none where there is none. TimeoutError where it stops answering."""

    def __init__(self, report: AgentReport) -> None:
        AgentSSH.__init__(self)  # the constructor between waits for ever, and knows the environment's agent alone
        if report.state == "answers":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(ANSWER)
            connection.connect(report.path)
            self._connect(connection)  # type: ignore[attr-defined]  # the stubs do not know it


@dataclass(frozen=True)
class Unusable:
    """A key file that cannot be used here, and why; a security key's can be by OpenSSH's client."""

    path: Path
    why: str
    encrypted: bool = False
    security_key: bool = False


@dataclass
class KeyRing:
    """Key files, each read at most once; shared by all hosts (an RSA key costs 0.16 s to load)."""

    _loaded: dict[Path, PKey | Unusable] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, path: Path) -> PKey | Unusable:
        """The private key in a file, without a passphrase and without its certificate."""
        with self._lock:
            if path not in self._loaded:
                self._loaded[path] = _load(path)
            return self._loaded[path]


def _load(path: Path) -> PKey | Unusable:
    try:
        if is_exposed(path):
            return Unusable(path, f"others may read it: chmod 600 {path}")
        key: PKey = PKey.from_path(path)
    except FileNotFoundError:
        return Unusable(path, "no such file")
    except OSError as error:
        return Unusable(path, f"cannot be read: {error.strerror}")
    except (PasswordRequiredException, TypeError):  # cryptography says TypeError where a passphrase is missing
        return _security_key(path) or Unusable(path, "encrypted", encrypted=True)
    except (SSHException, UnknownKeyType, UnsupportedAlgorithm, ValueError) as error:
        return _security_key(path) or Unusable(path, f"no private key that is understood: {error}")
    return _with(key, None)


def _security_key(path: Path) -> Unusable | None:
    """A file that only points to the key in a device: its public half tells."""
    with suppress(OSError, ValueError):
        lines = path.read_text(encoding="ascii").splitlines()
        body = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
        if any(kind in body for kind in SECURITY_KEYS):
            return Unusable(path, "a security key, which OpenSSH's client can use", security_key=True)
    return None


def _with(key: PKey, certificate: PublicBlob | None) -> PKey:
    """The same key, shown by a certificate, or bare."""
    shown: PKey = AgentKey(key.agent, key.blob, key.comment) if isinstance(key, AgentKey) else copy.copy(key)
    shown.public_blob = certificate
    return shown


@dataclass
class Offer:
    """The keys to try on one host, in order; `tried` and `unusable` fill meanwhile, for the error message.

    Of `files`, those that were named come before the agent's keys; the usual ones of ~/.ssh come last, where they are.
    """

    ring: KeyRing
    files: Sequence[Path]
    only_files: bool = False
    certificates: Sequence[Path] = ()
    tried: list[str] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)

    def keys(self, agent: Agent) -> Iterator[PKey]:
        """Each key by its certificates first, then bare; those of files through the agent where it holds them."""
        held: dict[bytes, PKey] = {key.asbytes(): key for key in agent.get_keys()}
        usual = {home() / ".ssh" / name for name in DEFAULT_KEYS}
        named = [path for path in self.files if path not in usual]
        for path in named:
            yield from self._file(path, held)
        if not self.only_files:
            for blob in list(held):
                yield from self._shown("the agent", held.pop(blob), ())
        for path in self.files:
            if path not in named and path.exists():
                yield from self._file(path, held)

    def _file(self, path: Path, held: dict[bytes, PKey]) -> Iterator[PKey]:
        beside = (path.with_name(f"{path.name}-cert.pub"),)
        public = _public_blob(path)
        if public in held:
            yield from self._shown(f"{path} (agent)", held.pop(public), beside)
            return
        key = self.ring.load(path)
        if isinstance(key, Unusable):
            self.unusable.append(key)
        else:
            held.pop(key.asbytes(), None)
            yield from self._shown(str(path), key, beside)

    def _shown(self, label: str, key: PKey, beside: Sequence[Path]) -> Iterator[PKey]:
        for path in (*self.certificates, *beside):
            certificate = _certificate(path)
            if certificate is not None and _certifies(certificate, key):
                self.tried.append(f"{label} (certificate {path})")
                yield _with(key, certificate)
        self.tried.append(label)
        yield key


def _certificate(path: Path) -> PublicBlob | None:
    try:
        return PublicBlob.from_file(str(path))
    except (OSError, ValueError, SSHException):
        return None


def _certifies(certificate: PublicBlob, key: PKey) -> bool:
    """True where a certificate is of this key: its fields follow behind the type and a nonce (PROTOCOL.certkeys)."""
    blob, public = certificate.key_blob, key.asbytes()
    rest = _behind(_behind(blob))
    return bool(rest) and certificate.key_type.startswith(key.get_name()) and rest.startswith(_behind(public))


def _behind(blob: bytes) -> bytes:
    """What follows the first string of a blob."""
    return blob[4 + int.from_bytes(blob[:4]) :]


def _public_blob(path: Path) -> bytes:
    try:
        words = path.with_name(path.name + ".pub").read_text(encoding="utf-8", errors="replace").split()
        return base64.b64decode(words[1])
    except (OSError, IndexError, ValueError):
        return b""
