"""One SSH connection on paramiko, where every wait has a deadline."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from paramiko import Channel as SshStream
from paramiko import ChannelException, PKey, SSHException, Transport
from paramiko.ssh_exception import BadAuthenticationType, IncompatiblePeer

from memrunbook.core.errors import HostError, Unreachable
from memrunbook.core.reading.probe import quoted
from memrunbook.core.text import clean
from memrunbook.transports.shared.deadlines import Deadlines
from memrunbook.transports.shared.key_files import ended_login, keyless
from memrunbook.transports.shared.known_hosts import HostKey
from memrunbook.transports.shared.patience import NO_BANNER, broken_off, hung_up, late, no_cipher, no_server, silent
from memrunbook.transports.shared.shell import Channel, NoShellError
from memrunbook.transports.shared.ssh_algorithms import ANY, KEYWORDS, Algorithms
from memrunbook.transports.shared.target import Target
from memrunbook.transports.shared.tcp import QuickSocket

Waiting = Callable[[str, float], None]
"""Told what is waited for and for how many seconds already."""

_GRACE = 0.5
_TICK = 0.25
_KEEPALIVE = 15
_CHUNK = 1 << 16
_WINDOW = 1 << 19
_METHODS_SECONDS = 5.0
_REFUSAL = re.compile(r"Secsh channel \d+ open FAILED: (.*): [^:]*", re.DOTALL)
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_DEADLINES = Deadlines()


class BeyondParamiko(Exception):  # noqa: N818  what it is about
    """OpenSSH's client may do what paramiko cannot: `why`, and the error to tell where that is not installed."""

    def __init__(self, why: str, error: HostError) -> None:
        super().__init__(why)
        self.why = why
        self.error = error


logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it prints tracebacks for what we report ourselves


class _Refusals(logging.Handler):
    """Why a server opened no channel, in its own words: paramiko tells them to its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._said: dict[int | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if match := _REFUSAL.fullmatch(record.getMessage()):
            self._said[record.thread] = match[1]

    def of(self, transport: Transport) -> str:
        """What was said to this connection; empty where it is not known."""
        return self._said.pop(transport.ident, "")


_REFUSALS = _Refusals()
_LOG = logging.getLogger("paramiko.transport")
_LOG.setLevel(logging.ERROR)
_LOG.propagate = False
_LOG.addHandler(_REFUSALS)


class Stream:
    """A channel of a connection as the shell wants it."""

    def __init__(self, link: SshLink, stream: SshStream) -> None:
        self._link = link
        self._stream = stream

    def send(self, data: bytes, timeout: float) -> None:
        """Sends all of it."""
        self._stream.settimeout(max(0.0, timeout))
        with self._link.bounded(timeout):
            while data:
                sent = self._stream.send(data)
                if sent == 0:
                    raise OSError("the channel is closed")
                data = data[sent:]

    def receive(self, timeout: float) -> bytes:
        """Receives what has come."""
        self._stream.settimeout(max(0.0, timeout))
        return self._stream.recv(_CHUNK)

    def close(self) -> None:
        """Closes the channel."""
        with suppress(OSError, EOFError, SSHException), self._link.bounded(1.0):
            self._stream.close()


class SshLink:
    """An SSH connection. Its methods raise errors of `memrunbook.core.errors` that name the host as `where`."""

    def __init__(
        self,
        sock: QuickSocket | SshStream,
        where: str,
        algorithms: Algorithms = ANY,
    ) -> None:
        self._algorithms = algorithms
        without = [name for name in _RSA if not algorithms.allow("pubkeys", name)]
        self._transport = Transport(sock, disabled_algorithms={"pubkeys": without})
        self._transport.banner_timeout = 1e6  # the deadlines are ours
        self._transport.packetizer.start_handshake = _no_timer  # type: ignore[method-assign]
        self._sock = sock
        self.via: SshLink | None = None  # the one to the jump host, once this one is to end it, too
        self.where = where
        self.version = ""  # what the server calls itself

    @property
    def address(self) -> str:
        """The address of the host; empty behind a jump host."""
        return str(self._sock.getpeername()[0]) if isinstance(self._sock, QuickSocket) else ""

    def negotiate(self, known_kinds: Iterable[str], banner: float, seconds: float, notice: Waiting) -> HostKey:
        """Exchanges banners (within `banner` seconds) and keys (`seconds` more); returns the host's key, unchecked."""
        self._prefer(known_kinds)
        done = threading.Event()
        started = time.monotonic()
        self._transport.start_client(event=done)
        while not done.wait(_TICK):
            waited = time.monotonic() - started
            mute = not self._transport.remote_version
            if waited > banner + (0 if mute else seconds):
                raise silent(self.where, waited) if mute else late(self.where, "the key exchange", waited)
            notice(NO_BANNER if mute else "key exchange", waited)
        if not self._transport.is_active():
            raise _broken(self.where, self._transport)
        self.version = clean(self._transport.remote_version)
        key = self._transport.get_remote_server_key()
        return HostKey(key.get_name(), key.asbytes())

    def _prefer(self, kinds: Iterable[str]) -> None:
        options = self._transport.get_security_options()
        wanted = [
            name for kind in kinds for name in (_RSA if kind == "ssh-rsa" else (kind,)) if name in options.key_types
        ]
        left = partial(_left, self._algorithms, self.where)
        options.key_types = left("keys", dict.fromkeys([*wanted, *options.key_types]))
        # Ciphers that seal their packets themselves: paramiko compares any other seal byte by byte, in Python.
        options.ciphers = left("ciphers", sorted(options.ciphers, key=lambda name: "gcm" not in name))
        options.kex = left("kex", options.kex)
        options.digests = left("macs", options.digests)

    def login(self, user: str, keys: Iterable[PKey], seconds: float, notice: Waiting) -> bool:
        """Tries the keys in turn within `seconds`; False when the host took none."""
        started = time.monotonic()
        for key in keys:
            done = threading.Event()
            try:
                self._transport.auth_publickey(user, key, event=done)
            except (SSHException, OSError, EOFError):
                return False
            while not done.wait(_TICK):
                waited = time.monotonic() - started
                if waited > seconds:
                    raise late(self.where, "the login", waited)
                notice("login", waited)
            if self._transport.is_authenticated():
                self._transport.set_keepalive(_KEEPALIVE)
                return True
            self._check_login_goes_on()
        return False

    def _check_login_goes_on(self) -> None:
        error = self._transport.get_exception()
        if isinstance(error, BadAuthenticationType):
            raise keyless(self.where, str(error.allowed_types))
        if not self._transport.is_active():
            raise ended_login(self.where, clean(str(error or "closed")))

    def forward(self, to: Target, seconds: float) -> SshStream:
        """A TCP connection from that host to another one."""
        there, here = (to.address, to.port), ("127.0.0.1", 0)
        try:
            return self._transport.open_channel("direct-tcpip", there, here, timeout=seconds)
        except ChannelException as refused:
            raise to.unconnected(clean(_REFUSALS.of(self._transport) or refused.text)) from refused
        except (SSHException, OSError, EOFError) as error:
            raise to.unconnected(clean(str(error)) or "it ended the connection") from error

    def methods(self, user: str) -> tuple[str, ...]:
        """The ways to log in that the host leaves open, once keys were refused; none where it does not say."""
        try:
            with self.bounded(_METHODS_SECONDS):
                self._transport.auth_none(user)
        except BadAuthenticationType as left:
            return tuple(left.allowed_types)
        except (SSHException, OSError, EOFError):
            return ()
        return ()

    def start(self, command: tuple[str, ...], seconds: float) -> Stream:
        """Starts a command on a channel of its own. Raises NoShellError."""
        try:
            with self.bounded(seconds):
                stream = self._transport.open_session(_WINDOW, timeout=seconds)
                stream.set_combine_stderr(True)
                stream.exec_command("exec " + quoted(command))
        except (SSHException, OSError, EOFError) as error:
            raise NoShellError(str(error), silent=False) from error
        return Stream(self, stream)

    def drop(self, channel: Channel) -> None:
        """Closes a channel, whatever still comes from it."""
        channel.close()

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Closes the connection when the block takes longer: nothing else frees a thread that waits in paramiko."""
        watchdog = _DEADLINES.set(max(0.0, seconds) + _GRACE, self._transport.close)
        try:
            yield
        finally:
            _DEADLINES.take_back(watchdog)

    def close(self) -> None:
        """Closes the connection, and the one to the jump host."""
        self._transport.close()
        self._sock.close()
        if self.via:
            self.via.close()


def _no_timer(timeout: float) -> None:
    """Paramiko would start a thread that looks after the time of the key exchange, which `negotiate` does."""
    del timeout


def _left(algorithms: Algorithms, where: str, what: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of these algorithms that the configuration allows. BeyondParamiko where it allows others alone."""
    left = tuple(name for name in names if algorithms.allow(what, name))
    if not left:
        why = f"{KEYWORDS[what]} of the ssh configuration leaves none that the engine's own client knows"
        raise BeyondParamiko(why, no_cipher(where, why))
    return left


def _broken(where: str, transport: Transport) -> Unreachable:
    error = transport.get_exception()
    if isinstance(error, IncompatiblePeer):
        raise BeyondParamiko("they know no algorithm in common", no_cipher(where, clean(str(error))))
    if "Indecipherable" in str(error):
        return no_server(where, clean(str(error)))
    if transport.remote_version:
        return broken_off(where, clean(str(error)) or "closed by the host")
    return hung_up(where)
