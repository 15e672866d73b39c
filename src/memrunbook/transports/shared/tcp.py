"""TCP connections for SSH: within a deadline, without the delays that the kernel's defaults add."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from memrunbook.core.errors import Unreachable
from memrunbook.core.text import clean
from memrunbook.transports.shared.patience import bound_hint, closed_port, nameless, unanswered
from memrunbook.transports.shared.ssh_settings import Family

_POLL = 0.5
_DEAD_PEER_MILLISECONDS = 60_000
FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}


class QuickSocket(socket.socket):
    """A TCP socket that acknowledges at once (44 ms less for a login) and wakes its readers when it is closed."""

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receives, then re-arms TCP_QUICKACK: the kernel forgets it after each use."""
        data = super().recv(bufsize, flags)
        with suppress(OSError, AttributeError):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data

    def settimeout(self, value: float | None) -> None:
        """Paramiko asks for 0.1 s, so that an idle connection would wake ten times a second."""
        super().settimeout(max(value or 0.0, _POLL))

    def close(self) -> None:
        """Closes; a reader in another thread returns at once."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        super().close()


@dataclass(frozen=True)
class Dialling:
    """A TCP connection that is wanted: from which local address (empty: any), and by which family of addresses."""

    address: str
    port: int
    bind: str = ""
    family: Family = "any"


Peers = list[tuple[Any, ...]]
"""What a name stands for, as getaddrinfo tells it."""


def addresses_of(found: Peers) -> tuple[str, ...]:
    """The IP addresses, in the order in which they are tried."""
    return tuple(dict.fromkeys(str(peer[0]) for *_, peer in found))


def dial(to: Dialling, found: Peers, seconds: float, where: str) -> QuickSocket:
    """A TCP connection within `seconds` to the first address that takes it. Raises Unreachable."""
    deadline = time.monotonic() + seconds
    failure: OSError = TimeoutError()
    for family, kind, protocol, _, peer in found:
        link = QuickSocket(family, kind, protocol)
        try:
            socket.socket.settimeout(link, max(0.1, deadline - time.monotonic()))
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError, AttributeError):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_PEER_MILLISECONDS)
            if to.bind:
                link.bind((to.bind, 0))
            link.connect(peer)
        except OSError as error:
            link.close()
            failure = error
        else:
            return link
    raise _no_tcp(failure, to, seconds, where)


def _no_tcp(failure: OSError, to: Dialling, seconds: float, where: str) -> Unreachable:
    port = to.port
    if isinstance(failure, ConnectionRefusedError):
        return closed_port(where, port)
    if isinstance(failure, TimeoutError):
        return unanswered(where, port, seconds)
    hint = bound_hint(to.bind) if to.bind else ""
    return Unreachable(f"no connection to TCP port {port}: {failure.strerror or failure}", where=where, hint=hint)


def _addresses(to: Dialling, flags: int = 0) -> Peers:
    return list(socket.getaddrinfo(to.address, to.port, FAMILIES[to.family], socket.SOCK_STREAM, flags=flags))


def resolve(to: Dialling, seconds: float, where: str) -> Peers:
    """What the name stands for, within `seconds`. Raises Unreachable."""
    with suppress(OSError, UnicodeError):  # an address is no name: nobody is asked, and nothing can hang
        return _addresses(to, socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[Peers | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_addresses(to))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        answer = OSError(f"no answer in {seconds:.0f} s")
    if isinstance(answer, OSError):
        raise nameless(where, clean(to.address), str(answer.strerror or answer))
    return answer
