"""The private keys to log in with: files loaded once for all hosts, and what the agent holds."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from paramiko import Agent, PasswordRequiredException, PKey, SSHException
from paramiko.agent import AgentSSH, get_agent_connection
from paramiko.pkey import UnknownKeyType

DEFAULTS = ("id_ed25519", "id_ecdsa", "id_rsa")

ANSWER = 10.0
"""How long the agent may take for an answer, in seconds: one that accepts and is silent would never be given up."""


class BoundedAgent(Agent):
    """The agent of whoever runs this, none where there is none. TimeoutError where it accepts and does not answer."""

    def __init__(self) -> None:
        AgentSSH.__init__(self)  # the constructor between waits for ever
        connection = get_agent_connection()
        if connection is not None:
            connection.settimeout(ANSWER)
            self._connect(connection)  # type: ignore[attr-defined]  # the stubs do not know it


@dataclass(frozen=True)
class Unusable:
    """A key file that cannot be used, and why."""

    path: Path
    why: str
    encrypted: bool = False


@dataclass
class KeyRing:
    """Key files, each read at most once; shared by all hosts (an RSA key costs 0.16 s to load)."""

    _loaded: dict[Path, PKey | Unusable] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, path: Path) -> PKey | Unusable:
        """The private key in a file, without a passphrase."""
        with self._lock:
            if path not in self._loaded:
                self._loaded[path] = _load(path)
            return self._loaded[path]


def _load(path: Path) -> PKey | Unusable:
    try:
        key: PKey = PKey.from_path(path)
    except FileNotFoundError:
        return Unusable(path, "no such file")
    except OSError as error:
        return Unusable(path, f"cannot be read: {error.strerror}")
    except (PasswordRequiredException, TypeError):  # cryptography says TypeError where a passphrase is missing
        return Unusable(path, "encrypted", encrypted=True)
    except (SSHException, UnknownKeyType, UnsupportedAlgorithm, ValueError) as error:
        return Unusable(path, f"no private key that is understood: {error}")
    return key


@dataclass
class Offer:
    """The keys to try on one host, in order; `tried` and `unusable` fill meanwhile, for the error message."""

    ring: KeyRing
    explicit: Sequence[Path]
    only_explicit: bool = False
    tried: list[str] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)

    def keys(self, agent: Agent) -> Iterator[PKey]:
        """Named files first (through the agent where it holds them), then the agent's keys, then the default files."""
        held: dict[bytes, PKey] = {key.asbytes(): key for key in agent.get_keys()}
        for path in self.explicit:
            yield from self._file(path, held)
        if self.only_explicit:
            return
        for blob in list(held):
            yield self._note("the agent", held.pop(blob))
        if not self.explicit:
            for name in DEFAULTS:
                path = Path.home() / ".ssh" / name
                if path.exists():
                    yield from self._file(path, held)

    def _file(self, path: Path, held: dict[bytes, PKey]) -> Iterator[PKey]:
        public = _public_blob(path)
        if public in held:
            yield self._note(f"{path} (agent)", held.pop(public))
            return
        key = self.ring.load(path)
        if isinstance(key, Unusable):
            self.unusable.append(key)
        else:
            held.pop(key.asbytes(), None)
            yield self._note(str(path), key)

    def _note(self, label: str, key: PKey) -> PKey:
        self.tried.append(label)
        return key


def _public_blob(path: Path) -> bytes:
    try:
        words = path.with_name(path.name + ".pub").read_text(encoding="utf-8", errors="replace").split()
        return base64.b64decode(words[1])
    except (OSError, IndexError, ValueError):
        return b""
