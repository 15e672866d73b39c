"""Reaches this machine itself: the same shell as a child process."""

from __future__ import annotations

import os
import resource
import secrets
import select
import signal
import subprocess
import time
from contextlib import suppress

from memrunbook.core.errors import Unreachable, UsageError
from memrunbook.core.host import LOCAL, Host, HostIdentity
from memrunbook.core.text import clean
from memrunbook.transports.shared.reach import Reach, Way
from memrunbook.transports.shared.shell import COMMAND, SUDO, Hello, Shell, ShellSession, SudoMode
from memrunbook.transports.shared.sudo import SudoPassword, asking, become_root, no_root_for
from memrunbook.transports.shared.this_user import this_user

_CHUNK = 1 << 16
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
USUAL_FILES = 1024
"""The soft limit of open files that everything is started with unless somebody says otherwise."""


class LocalConnector:
    """Opens a shell on this machine, as root where `sudo` says so."""

    def __init__(self, sudo: SudoMode = "auto", password: SudoPassword | None = None) -> None:
        self._sudo = sudo
        self._password = password

    def connect(self) -> ShellSession:
        """Raises SudoError when root is demanded and refused, Unreachable when there is no shell."""
        said = ""
        if os.geteuid() != 0 and self._sudo != "never":
            try:
                return _open_asking(self._password) if self._password else _open(SUDO)
            except OSError as refused:  # no sudo, none that may be started, or one that refused
                said = clean(getattr(refused, "said", str(refused)).strip()) or "it said nothing"
                if self._password is not None or self._sudo == "always":
                    raise no_root_for(this_user(), said, LOCAL) from refused
        try:
            return _open(COMMAND, said)
        except OSError as missing:
            raise Unreachable("no POSIX shell `sh` could be started", where="local") from missing


def way(reach: Reach) -> Way:
    """This machine, under its own name alone: what is done here shall not be on record as done elsewhere."""

    def connector(host: Host) -> LocalConnector:
        if host.name != LOCAL:
            raise UsageError("only this machine is reached so", where=host.name, hint=f"--host {LOCAL}")
        return LocalConnector(host.sudo or reach.sudo, reach.sudo_password)

    return connector


def _open(command: tuple[str, ...], no_root: str = "") -> ShellSession:
    return _session(Child(command), no_root)


def _open_asking(password: SudoPassword) -> ShellSession:
    nonce = secrets.token_hex(8)
    child = Child(asking(nonce), password)
    try:
        become_root(child, password, nonce, LOCAL, _ANSWER_SECONDS)
    except BaseException:
        child.close()  # sudo waits for another try: it gets none
        raise
    return _session(child)


def _session(child: Child, no_root: str = "") -> ShellSession:
    try:
        shell = Shell(child)
    except BaseException:
        child.close()
        raise
    return ShellSession(shell, HostIdentity(address="local", user=this_user()), child, no_root)


class Child:
    """A shell as a child process in a session of its own: channel and line in one."""

    def __init__(self, command: tuple[str, ...], password: SudoPassword | None = None) -> None:
        self._password = password
        self._process = subprocess.Popen(  # noqa: S603 - constant words, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError):  # ours may have been raised for many hosts; what is started there has the usual one
            resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (min(USUAL_FILES, most), most))
        pipes = (self._process.stdin, self._process.stdout)
        self._input, self._output = (pipe.fileno() if pipe else -1 for pipe in pipes)
        os.set_blocking(self._input, False)

    def send(self, data: bytes, timeout: float) -> None:
        """Writes all of it; OSError when the shell has gone or does not read."""
        deadline = time.monotonic() + timeout
        while data:
            if not _ready(self._input, select.POLLOUT, deadline - time.monotonic()):
                raise TimeoutError
            data = data[os.write(self._input, data) :]

    def receive(self, timeout: float) -> bytes:
        """Reads what has come."""
        if not _ready(self._output, select.POLLIN, timeout):
            raise TimeoutError
        return os.read(self._output, _CHUNK)

    def stop(self, hello: Hello) -> bool:
        """Kills the process group and waits until nothing of it is left."""
        groups = {self._process.pid, hello.own_group or self._process.pid}
        deadline = time.monotonic() + _STOP_SECONDS
        while (groups := {group for group in groups if self._lives(group)}) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not groups

    def _lives(self, group: int) -> bool:
        self._process.poll()
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return False
        except PermissionError:
            return _lives_under_sudo(group, self._password)
        return True

    def close(self) -> None:
        """Ends the shell, by force where it does not leave at once."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.stop(Hello(pid=0, parent=0, group=0, uid=-1))


def _ready(file: int, event: int, seconds: float) -> bool:
    """True once a file can be read or written, or has ended; `select` knows no file number above 1023."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _lives_under_sudo(group: int, password: SudoPassword | None) -> bool:
    ask = ["-S", "-p", ""] if password else ["-n"]
    words = ["sudo", *ask, "env", "LC_ALL=C", "kill", "-s", "KILL", "--", f"-{group}"]
    line = password.line if password else b""  # `kill` reads none of it where sudo did not ask
    try:
        done = subprocess.run(words, check=False, capture_output=True, input=line, timeout=_STOP_SECONDS)  # noqa: S603 - constant words and a number
    except (OSError, subprocess.TimeoutExpired):
        return True
    return b"No such process" not in done.stderr
