"""A program as a child process in a session of its own, spoken to within deadlines."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from memrunbook.transports.shared.shell import Hello
from memrunbook.transports.shared.sudo import SudoPassword

_CHUNK = 1 << 16
_STOP_SECONDS = 5.0
DEAD = ("Z", "X")
USUAL_FILES = 1024
"""The soft limit of open files that everything is started with unless somebody says otherwise."""


class Child:
    """A shell, or a program that leads to one, as a child process: channel and line in one.

    It has a session of its own, and so no terminal. `environment` is that of this process where it is not given.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        password: SudoPassword | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._password = password
        self._process = subprocess.Popen(  # noqa: S603 - constant words, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            env=environment,
        )
        with_usual_files(self._process.pid)
        pipes = (self._process.stdin, self._process.stdout)
        self._input, self._output = (pipe.fileno() if pipe else -1 for pipe in pipes)
        os.set_blocking(self._input, False)

    @property
    def output(self) -> int:
        """The file number at which its output is read."""
        return self._output

    @property
    def ended(self) -> bool:
        """True once the child itself has ended; it keeps its number until it is closed or killed."""
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

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
        return not _is_dead(group)

    def close(self) -> None:
        """Ends the shell, by force where it does not leave at once."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> bool:
        """Kills the child and what it started here; True when nothing of it is left."""
        return self.stop(Hello(pid=0, parent=0, group=0, uid=-1))


def with_usual_files(pid: int) -> None:
    """Gives a child the usual limit of open files: ours may have been raised for many hosts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(USUAL_FILES, most), most))


def _ready(file: int, event: int, seconds: float) -> bool:
    """True once a file can be read or written, or has ended; `select` knows no file number above 1023."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _is_dead(group: int) -> bool:
    """True where nothing of a process group runs any more, and only nobody has taken notice of its end.

    What lost its parent is for process 1 to reap, which a container's may do late or never. Its state is field 3 of
    proc_pid_stat(5). Whoever is not shown all processes (hidepid of proc(5)) cannot know.
    """
    try:
        Path("/proc/1/stat").read_bytes()
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        found = [_state(pid) for pid in pids if _is_in(pid, group)]
    except OSError:
        return False
    return all(state in DEAD for state in found)


def _is_in(pid: int, group: int) -> bool:
    with suppress(ProcessLookupError):
        return os.getpgid(pid) == group
    return False


def _state(pid: int) -> str:
    """Its letter; X, too, for one that was reaped meanwhile."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    return "X"


def _lives_under_sudo(group: int, password: SudoPassword | None) -> bool:
    ask = ["-S", "-p", ""] if password else ["-n"]
    words = ["sudo", *ask, "env", "LC_ALL=C", "kill", "-s", "KILL", "--", f"-{group}"]
    line = password.line if password else b""  # `kill` reads none of it where sudo did not ask
    try:
        done = subprocess.run(words, check=False, capture_output=True, input=line, timeout=_STOP_SECONDS)  # noqa: S603 - constant words and a number
    except (OSError, subprocess.TimeoutExpired):
        return True
    return b"No such process" not in done.stderr
