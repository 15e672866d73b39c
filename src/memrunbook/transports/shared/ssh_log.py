"""What OpenSSH's client says of a connection: how far it has come."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MOST_LINES = 400
_CONNECTING = re.compile(r"debug1: Connecting to \S+ \[([^\]]+)\] port \d+")
_ESTABLISHED = re.compile(r"debug1: Connection established\.")
_GREETING = re.compile(r"debug1: (?:kex|ssh)_exchange_identification: (?:banner line \d+: )?(\S.*)")
_BANNER = re.compile(r"debug1: Remote protocol version [\d.]+, remote software version (.*)")
KEY = re.compile(r"debug1: Server host (?:key|certificate): (\S+?),? (SHA256:[A-Za-z0-9+/]+)")
_IN = re.compile(r"(?:debug1: )?Authenticated to |debug1: Authentication succeeded \(")
_LOGGED_IN = re.compile(r"(?:debug1: )?Authenticated to ")
_READY = re.compile(r"debug1: Entering interactive session")
_OFFERED = re.compile(r"debug1: Offering (?:public key|.* public key): (.+?)(?: [A-Z0-9-]+ SHA256:\S+.*)?$")
_METHOD = re.compile(r"debug1: Next authentication method: (\S+)")
_TOUCH = "Confirm user presence"


@dataclass
class SshLog:
    """Takes the log of one client (at DEBUG1), piece by piece; what a host may say stands in no line that is read here.

    `greeting` is what came instead of an SSH banner; of the host's key it is type and fingerprint, as shown first.
    `logins` are the hosts that let it in: those on the way there write into one log, one after another.
    """

    address: str = ""
    established: bool = False
    greeting: str = ""
    version: str = ""
    key: tuple[str, str] | None = None
    entered: bool = False
    logins: int = 0
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
        for pattern, note in _NOTES:
            if match := pattern.match(line):
                note(self, match)
                return

    @property
    def latest(self) -> SshLog:
        """What was logged since the last host that let it in."""
        log = SshLog()
        lines = list(self.lines)
        starts = [number for number, line in enumerate(lines, start=1) if _LOGGED_IN.match(line)]
        log.feed("".join(f"{line}\n" for line in lines[max(starts, default=0) :]).encode())
        return log

    @property
    def said(self) -> list[str]:
        """What was said besides the protocol of the work: complaints."""
        return [line for line in self.lines if line.strip() and not line.startswith("debug")]


def wants_touch(lines: Iterable[str]) -> bool:
    """True where a security key waits for its owner."""
    return any(_TOUCH in line for line in lines)


def _noted_login(log: SshLog, match: re.Match[str]) -> None:
    log.entered = True
    log.logins += bool(_LOGGED_IN.match(match.string))


def _noted_key(log: SshLog, match: re.Match[str]) -> None:
    log.key = log.key or (match[1], match[2])


def _noted_offer(log: SshLog, match: re.Match[str]) -> None:
    log.offered.append(match[1] + (" (agent)" if match.string.endswith(" agent") else ""))


_NOTES: tuple[tuple[re.Pattern[str], Callable[[SshLog, re.Match[str]], object]], ...] = (
    (_CONNECTING, lambda log, match: setattr(log, "address", match[1])),
    (_ESTABLISHED, lambda log, _: setattr(log, "established", True)),
    (_GREETING, lambda log, match: setattr(log, "greeting", log.greeting or match[1])),
    (_BANNER, lambda log, match: setattr(log, "version", log.version or match[1] or "?")),
    (KEY, _noted_key),
    (_OFFERED, _noted_offer),
    (_METHOD, lambda log, match: setattr(log, "method", match[1])),
    (_IN, _noted_login),
    (_READY, lambda log, _: setattr(log, "ready", True)),
)
