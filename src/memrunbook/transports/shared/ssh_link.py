"""One SSH connection on paramiko, where every wait has a deadline."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from paramiko import Channel as SshStream
from paramiko import ChannelException, PKey, SSHException, Transport
from paramiko.ssh_exception import BadAuthenticationType, IncompatiblePeer

from memrunbook.core.errors import LoginError, SudoError, Unreachable
from memrunbook.core.reading.probe import quoted
from memrunbook.core.text import clean
from memrunbook.transports.shared.known_hosts import HostKey
from memrunbook.transports.shared.shell import Hello, NoShellError, Shell
from memrunbook.transports.shared.sudo import SudoPassword, asking, become_root
from memrunbook.transports.shared.tcp import QuickSocket

Waiting = Callable[[str, float], None]
"""Told what is waited for and for how many seconds already."""

_GRACE = 0.5
_TICK = 0.25
_KEEPALIVE = 15
_CHUNK = 1 << 16
_WINDOW = 1 << 19
_STOP_SECONDS = 5.0
_RSA = ("rsa-sha2-512", "rsa-sha2-256")

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it prints tracebacks for what we report ourselves


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

    def __init__(self, sock: QuickSocket | SshStream, where: str, via: SshLink | None = None) -> None:
        self._transport = Transport(sock)
        self._transport.banner_timeout = self._transport.handshake_timeout = 1e6  # the deadlines are ours
        self._sock = sock
        self._via = via
        self._command: tuple[str, ...] = ()
        self._password: SudoPassword | None = None
        self._stream: Stream | None = None
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
            silent = not self._transport.remote_version
            if waited > banner + (0 if silent else seconds):
                raise _silent(self.where, waited) if silent else _late(self.where, "the key exchange", waited)
            notice("TCP answers, no SSH banner: the host may be thrashing" if silent else "key exchange", waited)
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
        options.key_types = tuple(dict.fromkeys([*wanted, *options.key_types]))
        # Ciphers that seal their packets themselves: paramiko compares any other seal byte by byte, in Python.
        options.ciphers = tuple(sorted(options.ciphers, key=lambda name: "gcm" not in name))

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
                    raise _late(self.where, "the login", waited)
                notice("login", waited)
            if self._transport.is_authenticated():
                self._transport.set_keepalive(_KEEPALIVE)
                return True
            self._check_login_goes_on()
        return False

    def _check_login_goes_on(self) -> None:
        error = self._transport.get_exception()
        if isinstance(error, BadAuthenticationType):
            raise LoginError(
                "the host does not let this user log in with a key",
                where=self.where,
                hint=f"it allows: {error.allowed_types}",
            )
        if not self._transport.is_active():
            raise LoginError(
                f"the host ended the connection during the login: {clean(str(error or 'closed'))}",
                where=self.where,
                hint="too many keys in the agent? name the right one, with IdentitiesOnly in the ssh configuration",
            )

    def forward(self, address: str, port: int, seconds: float, where: str) -> SshStream:
        """A TCP connection from that host to another one."""
        try:
            return self._transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=seconds)
        except (SSHException, OSError, EOFError) as error:
            why = error.text if isinstance(error, ChannelException) else str(error)
            raise Unreachable(f"the jump host could not connect: {clean(why)}", where=where) from error

    def open_shell(self, command: tuple[str, ...], seconds: float, password: SudoPassword | None = None) -> Shell:
        """Starts a shell there, with a password by a sudo that may ask for it. Raises NoShellError or SudoError."""
        self._command, self._password, nonce = command, password, secrets.token_hex(8)
        try:
            with self.bounded(seconds):
                stream = self._transport.open_session(_WINDOW, timeout=seconds)
                stream.set_combine_stderr(True)
                stream.exec_command("exec " + quoted(asking(nonce) if password else command))
        except (SSHException, OSError, EOFError) as error:
            raise NoShellError(str(error), silent=False) from error
        self._stream = Stream(self, stream)
        if password is not None:
            try:
                become_root(self._stream, password, nonce, self.where, seconds)
            except BaseException:
                self._stream.close()  # sudo waits for another try: it gets none
                raise
        return Shell(self._stream, timeout=seconds)

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Closes the connection when the block takes longer: nothing else frees a thread that waits in paramiko."""
        watchdog = threading.Timer(max(0.0, seconds) + _GRACE, self._transport.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def stop(self, hello: Hello) -> bool:
        """Kills the shell's process group through a second channel and looks whether it is gone."""
        if self._stream:
            self._stream.close()  # endless output would keep us from hearing the answer
        target = f"-{hello.own_group}" if hello.own_group else str(hello.pid)
        deadline = time.monotonic() + _STOP_SECONDS
        try:
            shell = self.open_shell(self._command, _STOP_SECONDS, self._password)
        except (NoShellError, SudoError):
            return False
        while (left := deadline - time.monotonic()) > 0:
            output = shell.execute('kill -s KILL -- "$1"', (target,), timeout=left, limit=1000)
            if output.status != 0:
                return bool(hello.own_group) and "No such process" in output.text
            time.sleep(0.1)
        return False

    def close(self) -> None:
        """Closes the connection, and the one to the jump host."""
        self._transport.packetizer.complete_handshake()  # ends its timer thread
        self._transport.close()
        self._sock.close()
        if self._via:
            self._via.close()


def _silent(where: str, waited: float) -> Unreachable:
    return Unreachable(
        f"TCP accepts, no SSH banner in {waited:.0f} s: the host may be thrashing",
        where=where,
        hint="wait longer with --patience 5m; or use its console: SysRq-f kills the largest process; or fail over",
    )


def _late(where: str, what: str, waited: float) -> Unreachable:
    return Unreachable(
        f"{what} was not finished after {waited:.0f} s: the host may be thrashing",
        where=where,
        hint="wait longer with --patience 5m, or use its console",
    )


def _broken(where: str, transport: Transport) -> Unreachable:
    error = transport.get_exception()
    if isinstance(error, IncompatiblePeer):
        return Unreachable(f"no common way to encrypt: {clean(str(error))}", where=where)
    if "Indecipherable" in str(error):
        return Unreachable(f"this is no SSH server: {clean(str(error))}", where=where, hint="is this the right port?")
    if transport.remote_version:
        said = clean(str(error)) or "closed by the host"
        return Unreachable(f"the connection ended in the key exchange: {said}", where=where)
    return Unreachable(
        "the host closed the connection before its SSH banner",
        where=where,
        hint="sshd may be unable to fork, or turns away too many connections (MaxStartups)",
    )
