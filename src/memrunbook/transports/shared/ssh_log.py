"""What OpenSSH's client says of a connection: how far it has come, and why it came no further."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.core.errors import HostError, HostKeyError, RunbookError, Unreachable, UsageError
from memrunbook.core.text import clean
from memrunbook.transports.shared import patience
from memrunbook.transports.shared.key_files import ended_login, is_encrypted, keyless, refused_login
from memrunbook.transports.shared.known_hosts import KnownHosts, check_pin, revoked, uncertified
from memrunbook.transports.shared.ssh_settings import DEFAULT_KEYS, home
from memrunbook.transports.shared.target import Target

MOST_LINES = 400
_CONNECTING = re.compile(r"debug1: Connecting to \S+ \[([^\]]+)\] port \d+")
_ESTABLISHED = re.compile(r"debug1: Connection established\.")
_BANNER = re.compile(r"debug1: Remote protocol version [\d.]+, remote software version (.*)")
_KEY = re.compile(r"debug1: Server host (?:key|certificate): (\S+?),? (SHA256:[A-Za-z0-9+/]+)")
_IN = re.compile(r"(?:debug1: )?Authenticated to |debug1: Authentication succeeded \(")
_READY = re.compile(r"debug1: Entering interactive session")
_OFFERED = re.compile(r"debug1: Offering (?:public key|.* public key): (.+?)(?: [A-Z0-9-]+ SHA256:\S+.*)?$")
_METHOD = re.compile(r"debug1: Next authentication method: (\S+)")
_UNLOADED = re.compile(r"Load key \"(.+)\": (.+)")
_TOUCH = "Confirm user presence"


@dataclass
class SshLog:
    """Takes the log of one client (at DEBUG1), piece by piece; what a host may say stands in no line that is read here.

    Of the host's key: its type and fingerprint, as they were shown first.
    """

    address: str = ""
    established: bool = False
    version: str = ""
    key: tuple[str, str] | None = None
    entered: bool = False
    ready: bool = False
    method: str = ""
    offered: list[str] = field(default_factory=list)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    _rest: str = ""

    def feed(self, data: bytes) -> None:
        """Takes what was written."""
        *whole, self._rest = (self._rest + data.decode(errors="replace")).replace("\r", "").split("\n")
        for line in whole:
            self.lines.append(line)
            self._take(line)

    def _take(self, line: str) -> None:
        if match := _CONNECTING.match(line):
            self.address = match[1]
        elif _ESTABLISHED.match(line):
            self.established = True
        elif not self.version and (match := _BANNER.match(line)):
            self.version = match[1] or "?"
        elif self.key is None and (match := _KEY.match(line)):
            self.key = (match[1], match[2])
        elif match := _OFFERED.match(line):
            self.offered.append(match[1] + (" (agent)" if line.endswith(" agent") else ""))
        elif match := _METHOD.match(line):
            self.method = match[1]
        elif _IN.match(line):
            self.entered = True
        elif _READY.match(line):
            self.ready = True

    @property
    def said(self) -> list[str]:
        """What was said besides the protocol of the work: complaints."""
        return [line for line in self.lines if line.strip() and not line.startswith("debug")]


def wants_touch(lines: Iterable[str]) -> bool:
    """True where a security key waits for its owner."""
    return any(_TOUCH in line for line in lines)


@dataclass(frozen=True)
class Ending:
    """Why a client ended before its session began: its own log, and what it and those on the way wrote besides."""

    target: Target
    log: SshLog
    beside: SshLog
    known: dict[str, KnownHosts]
    agent_fault: str = ""

    def error(self) -> RunbookError:
        """In the same words as the other client's: what, where, what to do."""
        for lines in (self.beside.said, self.log.said):
            for line in lines:
                if found := self._key_fault(line) or self._fault(line):
                    return found
        return self._last_words()

    def _key_fault(self, line: str) -> HostError | None:
        if match := re.search(r"No \S+ host key is known for (\S+) and you have requested", line):
            return self._unknown(match[1])
        if match := re.search(r"Host key for (\S+) has changed and you have requested", line):
            return self._unknown(match[1])
        if match := re.search(r"host key for (\S+) was revoked|key for (\S+) is marked as revoked", line):
            return revoked(match[1] or match[2], self._shown(match[1] or match[2])[1])
        if match := re.search(r"Certificate invalid: (.+)", line):
            name = self.target.known_name
            vouching = self._known(name).authorities(name)
            if vouching:
                return uncertified(name, " ".join(self._shown(name)), vouching[0], f"with a certificate: {match[1]}")
        if "Host key verification failed" in line:
            return self._unverified()
        return None

    def _unverified(self) -> HostError:
        name = self.target.known_name
        if self.target.pins and self.log.key:
            try:
                check_pin(name, *self.log.key, self.target.pins)
            except HostKeyError as error:
                return error
        return self._unknown(name)

    def _unknown(self, name: str) -> HostKeyError:
        return self._known(name).fault(name, *self._shown(name))

    def _known(self, name: str) -> KnownHosts:
        return self.known.get(name) or self.known[self.target.known_name]

    def _shown(self, name: str) -> tuple[str, str]:
        """The key that was shown under this name: the last one on the way where it is no other's."""
        if name == self.target.known_name and self.log.key:
            return self.log.key
        shown = [match for line in self.beside.lines if (match := _KEY.match(line))]
        return (shown[-1][1], shown[-1][2]) if shown else ("a key", "that was not shown")

    def _fault(self, line: str) -> RunbookError | None:
        where = self.target.where
        if match := re.search(r"ssh: Could not resolve hostname (\S+): (.+)", line):
            return patience.nameless(self._where(match[1]), match[1], clean(match[2]))
        if match := re.search(r"ssh: connect to (?:host|address) (\S+) port (\d+): (.+)", line):
            return self._no_tcp(self._where(match[1]), int(match[2]), clean(match[3]))
        if match := re.search(r"open failed: (.+)", line):
            return Unreachable(f"the jump host could not connect: {clean(match[1])}", where=where)
        if match := re.search(r"(\S+)@(\S+): Permission denied \(([^)]*)\)", line):
            return self._refused(match[1], match[2].rstrip(":"), match[3])
        if match := re.search(r"Received disconnect from \S+(?: port \d+)?:\d+: (.+)", line):
            return ended_login(where, clean(match[1])) if self.log.key else patience.broken_off(where, clean(match[1]))
        if match := re.search(r"Unable to negotiate with .*?: (.+)", line):
            return patience.no_cipher(where, clean(match[1]))
        if match := re.search(r"(.*line \d+: .*|Bad configuration option.*|jumphost loop.*|command-line.*)", line):
            return UsageError(clean(match[1]), where=where, hint=f"ssh refuses it too: ssh -v {where}")
        return None

    def _no_tcp(self, where: str, port: int, why: str) -> Unreachable:
        if "refused" in why:
            return patience.closed_port(where, port)
        if "timed out" in why:
            return Unreachable(f"no answer at TCP port {port}: {why}", where=where)
        return Unreachable(f"no connection to TCP port {port}: {why}", where=where)

    def _refused(self, user: str, name: str, allowed: str) -> RunbookError:
        where = self._where(name)
        if "publickey" not in allowed.split(","):
            return keyless(where, allowed)
        lines = [match for line in (*self.log.said, *self.beside.said) if (match := _UNLOADED.search(line))]
        unusable = [(match[1], f"no private key that is understood: {clean(match[2])}") for match in lines]
        unusable += [(str(path), why) for path in self.target.identities if (why := _unusable(path, self.log.offered))]
        files = {path for path, _ in unusable}
        tried = [path for path in self.log.offered if path not in files]
        return refused_login(user, where, tried, unusable, self.agent_fault)

    def _where(self, name: str) -> str:
        """Whose name or address this is, on the way there."""
        hops: Sequence[Target] = self.target.way
        return next((hop.where for hop in hops if name in (hop.address, hop.where)), self.target.where)

    def _last_words(self) -> RunbookError:
        where, words = self.target.where, [*self.beside.said, *self.log.said]
        said = clean(words[-1]) if words else "it said nothing"
        if self.log.key:
            return ended_login(where, said)
        if self.log.version:
            return patience.broken_off(where, said)
        if any("No SSH identification string" in line or "message too long" in line for line in words):
            return patience.no_server(where, said)
        if any("kex_exchange_identification" in line or "ssh_exchange_identification" in line for line in words):
            return patience.hung_up(where)
        return Unreachable(f"ssh ended before it was connected: {said}", where=where, hint=f"try: ssh -v {where}")


def _unusable(path: Path, offered: Sequence[str]) -> str:
    """Why a key file was of no use; empty where it was offered, or is one of the usual files and not there."""
    if f"{path} (agent)" in offered:
        return ""
    if is_encrypted(path):
        return "encrypted"
    usual = path.parent == home() / ".ssh" and path.name in DEFAULT_KEYS
    return "" if usual or path.exists() else "no such file"
