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

from memrunbook.runtime.named_file import read_named
from memrunbook.transports.shared.agents import ANSWER, Agents
from memrunbook.transports.shared.key_files import LARGEST_KEY, is_exposed
from memrunbook.transports.shared.known_hosts import HostKey
from memrunbook.transports.shared.ssh_algorithms import ANY, Algorithms
from memrunbook.transports.shared.ssh_settings import DEFAULT_KEYS, home

SOON = 1.0
"""An agent that takes longer for its answer, in seconds, is asked when all other keys were tried."""
SECURITY_KEYS = (b"sk-ssh-ed25519@openssh.com", b"sk-ecdsa-sha2-nistp256@openssh.com")


class BoundedAgent(Agent):
    """An agent that has answered already. TimeoutError where it stops answering."""

    def __init__(self, path: str) -> None:
        AgentSSH.__init__(self)  # the constructor between waits for ever, and knows the environment's agent alone
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(ANSWER)
        connection.connect(path)
        self._connect(connection)  # type: ignore[attr-defined]  # the stubs do not know it


@dataclass
class AgentDoor:
    """The agent of one login, opened when it is needed: `fault` tells why it could not be."""

    agents: Agents
    path: str
    fault: str = ""
    _keys: dict[bytes, PKey] | None = None
    _opened: list[BoundedAgent] = field(default_factory=list)

    @property
    def answers_soon(self) -> bool:
        """False for one that lets everybody wait: other keys come first then."""
        return self.agents.report(self.path, SOON).state != "silent"

    @property
    def keys(self) -> dict[bytes, PKey]:
        """Its keys by their public half; none where there is no agent, or it is of no use."""
        if self._keys is None:
            self._keys = self._listed()
        return self._keys

    def _listed(self) -> dict[bytes, PKey]:
        report = self.agents.report(self.path)
        self.fault = report.fault
        if report.state != "answers":
            return {}
        try:
            self._opened.append(BoundedAgent(report.path))
        except (SSHException, OSError):  # it answered before
            self.fault = "the ssh agent does not answer any more"
            return {}
        return {key.asbytes(): key for key in self._opened[0].get_keys()}

    def close(self) -> None:
        """Lets go of it."""
        for agent in self._opened:
            agent.close()


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
        read_named(path, LARGEST_KEY)  # paramiko reads whatever there is, without end
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
        lines = read_named(path, LARGEST_KEY).decode("ascii").splitlines()
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

    Of `files`, those that were named come before the agent's keys, the usual ones of ~/.ssh behind them.
    """

    ring: KeyRing
    files: Sequence[Path]
    only_files: bool = False
    certificates: Sequence[Path] = ()
    algorithms: Algorithms = ANY
    tried: list[str] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    _blobs: set[bytes] = field(default_factory=set)

    def keys(self, agent: AgentDoor) -> Iterator[PKey]:
        """Each key by its certificates first, then bare; a file that cannot be read, through the agent that holds it.

        An agent that is slow to answer is asked last.
        """
        usual = {home() / ".ssh" / name for name in DEFAULT_KEYS}
        for path in self.files:
            if path not in usual:
                yield from self._file(path, agent)
        asked = self.only_files or not agent.answers_soon
        if not asked:
            yield from self._held(agent)
        for path in self.files:
            if path in usual and path.exists():
                yield from self._file(path, agent)
        if asked and not self.only_files:
            yield from self._held(agent)

    def _held(self, agent: AgentDoor) -> Iterator[PKey]:
        for blob, key in agent.keys.items():
            if blob not in self._blobs:
                yield from self._shown("the agent", key, ())

    def _file(self, path: Path, agent: AgentDoor) -> Iterator[PKey]:
        beside = (path.with_name(f"{path.name}-cert.pub"),)
        key = self.ring.load(path)
        if not isinstance(key, Unusable):
            yield from self._shown(str(path), key, beside)
            return
        held = agent.keys.get(_public_blob(path))
        if held is not None:
            yield from self._shown(f"{path} (agent)", held, beside)
        else:
            self.unusable.append(key)

    def _shown(self, label: str, key: PKey, beside: Sequence[Path]) -> Iterator[PKey]:
        self._blobs.add(key.asbytes())
        kind, bits = key.get_name(), HostKey(key.get_name(), key.asbytes()).rsa_bits
        for path in (*self.certificates, *beside):
            certificate = _certificate(path)
            if certificate is None or not _certifies(certificate, key):
                continue
            if not self.algorithms.against_key(kind, bits, certified=True):
                self.tried.append(f"{label} (certificate {path})")
                yield _with(key, certificate)
        if why := self.algorithms.against_key(kind, bits):
            self.unusable.append(Unusable(Path(label), why))
            return
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
    """The public half that stands beside a key's file, or in it: the private half is in an agent then."""
    for file in (path.with_name(path.name + ".pub"), path):
        with suppress(OSError, IndexError, ValueError):
            return base64.b64decode(read_named(file, LARGEST_KEY).decode("ascii").split()[1], validate=True)
    return b""
