"""Sends each head of the ledger and each change to the system's log, or another machine's: an end that others know.

$RUNBOOK_FORWARD says where, else `forward` in config.yaml: `journald`, `syslog`, `udp://HOST[:PORT]` or
`tcp://HOST[:PORT]` (RFC 5424). A log that cannot be written to stops nothing; how many lines were not taken is told at
the end.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.outside import LOGS, is_log

VARIABLE = "RUNBOOK_FORWARD"
JOURNALD, SYSLOG = "/run/systemd/journal/socket", "/dev/log"
IDENTIFIER = "runbook-audit"
NOTICE, AUTHPRIV = 5, 10
PORT = 514
TIMEOUT = 1.0
GIVEN_UP = 3
"""So many failures in a row, and nothing more is tried: a change must not wait for a log that is gone."""
LONGEST = 2_000


@dataclass
class Forwarder:
    """Sends lines to one place. `lost` counts what it did not take, `why` is the last reason."""

    place: str
    node: str = field(default_factory=lambda: os.uname().nodename)
    lost: int = 0
    why: str = ""
    _in_a_row: int = field(default=0, init=False)
    _stream: socket.socket | None = field(default=None, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """UsageError for a place that is none."""
        if self.place and not is_log(self.place):
            raise UsageError(f"{self.place!r} is no log to forward to", where=f"${VARIABLE}", hint=LOGS)

    def send(self, at: str, **words: object) -> None:
        """One line: what it is and its words, `at` as ISO 8601; never raises."""
        if not self.place:
            return
        line = " ".join(f"{name}={_quoted(value)}" for name, value in words.items() if value not in ("", None))
        with self._turn:  # hosts are at work at once, and share the stream
            if self._in_a_row >= GIVEN_UP:
                self.lost += 1
                return
            try:
                self._send(at, clean(line, LONGEST))
            except OSError as error:
                self.lost, self.why = self.lost + 1, (error.strerror or str(error)).lower()
                self._in_a_row += 1
                self._close()
            else:
                self._in_a_row = 0

    @property
    def problem(self) -> str:
        """What was not taken, in a sentence; empty where all was."""
        lines = f"{self.lost} line{'s' * (self.lost != 1)}"
        return f"{lines} of the audit could not be forwarded to {self.place}: {self.why}" if self.lost else ""

    def _send(self, at: str, line: str) -> None:
        if self.place == "journald":
            fields = (f"MESSAGE={line}", f"PRIORITY={NOTICE}", f"SYSLOG_IDENTIFIER={IDENTIFIER}")
            _datagram(JOURNALD, "".join(f"{one}\n" for one in fields).encode())
            return
        priority = f"<{AUTHPRIV * 8 + NOTICE}>"
        if self.place == "syslog":
            _datagram(SYSLOG, f"{priority}{IDENTIFIER}: {line}".encode())
            return
        place = urlsplit(self.place)
        message = f"{priority}1 {at} {self.node} {IDENTIFIER} - - - {line}".encode()
        address = (str(place.hostname), place.port or PORT)
        if place.scheme == "udp":
            _packet(address, message)
        else:
            self._over_tcp(address, message)

    def _over_tcp(self, address: tuple[str, int], message: bytes) -> None:
        if self._stream is None:
            self._stream = socket.create_connection(address, TIMEOUT)
        self._stream.sendall(b"%d %s" % (len(message), message))

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def forward_change(record: Mapping[str, Any], digest: str) -> None:
    """Sends what a host's journal says of a change: that it is about to be made, and how its script ended."""
    request, answer = record.get("request") or {}, record.get("answer") or {}
    actor = record.get("actor") or {}
    asked = record.get("event") == "asked" and request.get("type") == "Execute"
    if not asked and not (record.get("event") == "answered" and answer.get("type") in ("Done", "Failed", "Unknown")):
        return
    change = request.get("change") or {}
    usual().send(
        str(record.get("time")), change="asked" if asked else answer.get("type"), run=record.get("run"),
        host=record.get("host"), step=request.get("step"), action=change.get("action"), target=change.get("target"),
        undo="yes" if request.get("undo") else "", record=digest, by=actor.get("user"), sudo=actor.get("sudo_user"),
        node=actor.get("control_node"),
    )  # fmt: skip


def configure(place: str) -> None:
    """Where this process forwards to from now on if the environment names no place: the word of config.yaml."""
    _configured[:] = [place]


def usual() -> Forwarder:
    """Where the environment says, else config.yaml; one for each place."""
    return _made(os.environ.get(VARIABLE, "") or _configured[-1])


def not_taken() -> str:
    """What could not be forwarded, in a sentence; empty where all was, or where the place was refused."""
    try:
        return usual().problem
    except UsageError:
        return ""


_configured = [""]


@cache
def _made(place: str) -> Forwarder:
    return Forwarder(place)


def _quoted(value: object) -> str:
    text = str(value)
    return text if text.replace("-", "").replace(".", "").isalnum() else msgspec.json.encode(text).decode()


def _datagram(path: str, content: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.settimeout(TIMEOUT)
        log.sendto(content, path)


def _packet(address: tuple[str, int], content: bytes) -> None:
    family, kind, number, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, number) as log:
        log.settimeout(TIMEOUT)
        log.sendto(content, where)
