"""Starts a program of this machine, with the JSON document of a message on its stdin."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Annotated

from msgspec import Meta

from memrunbook.core.text import clean
from memrunbook.receivers.shared.receiver import Message, NotTaken, Receiver

if TYPE_CHECKING:
    import subprocess

SHOWN = 200
AT_ONCE = 1 << 16
PATIENCE = 0.5
LOOKED_AT = 0.05
"""How often it is looked whether it has ended, in seconds."""
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that it is told of ours: secrets in our environment are not its business. Beside it: HOME and pass_variables."""


class ProgramReceiver(Receiver, frozen=True, kw_only=True, tag="command"):
    """A program with its arguments; no shell reads them, and nothing of a message stands in them."""

    command: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(min_length=1, max_length=50, description="the program's absolute path, and its arguments"),
    ]
    pass_variables: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...],
        Meta(description="variables of the environment that it gets too"),
    ] = ()

    def problem(self) -> str:
        """What is wrong with the options taken together."""
        return "" if self.command[0].startswith("/") else "write the absolute path of the program: no PATH is searched"

    def send(self, message: Message, seconds: float) -> None:
        """Runs it to its end; whatever it has started is ended with it."""
        import subprocess
        import tempfile

        with tempfile.TemporaryFile() as document:
            document.write(message.document)
            document.seek(0)
            try:
                running = subprocess.Popen(  # noqa: S603  the administrator's own program, and no shell
                    self.command, stdin=document, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
                    env=self._environment(), start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise NotTaken(f"{self.command[0]} cannot be started: {_why_not(self.command[0], error)}") from None
            said = _LastWords(running.stderr)
            ended = _has_ended(running.pid, seconds)
            status = _end(running)
            if not ended:
                raise NotTaken(f"{self.command[0]} did not end within {seconds:.0f} s, and was ended")
            if status:
                raise NotTaken(f"{self.command[0]} failed with status {status}{said.line()}")

    def _environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in ("HOME", *self.pass_variables) if name in os.environ}
        return {**ENVIRONMENT, **passed}


def _has_ended(pid: int, seconds: float) -> bool:
    """Whether it ends by itself within so many seconds. It is not reaped: the number of its group stays its own."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOKED_AT)
    return True


def _end(running: subprocess.Popen[bytes]) -> int:
    """Ends all that is left of its group, be it without the program itself; how that ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    return running.wait()


def _why_not(program: str, error: OSError) -> str:
    """For a script whose first line names nothing the system says that the script itself is not there."""
    if isinstance(error, FileNotFoundError) and os.path.lexists(program):
        return "what its first line names, or it links to, is not there"
    return str(error.strerror)


class _LastWords:
    """The end of what a program says on stderr: read as it comes, so that no disk and no memory is filled by it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream, self._kept = stream, b""
        self._reading = threading.Thread(target=self._read, daemon=True)
        with suppress(RuntimeError):  # ulimit -u: then nobody hears it
            self._reading.start()

    def line(self) -> str:
        """The last one, behind a colon; empty where there is none."""
        if self._reading.ident is not None:
            self._reading.join(PATIENCE)  # one that left its session may hold the pipe open
        lines = [line for line in self._kept.decode("utf-8", "replace").splitlines() if line.strip()]
        return f": {clean(lines[-1].strip(), SHOWN)}" if lines else ""

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while self._stream is not None and (part := os.read(self._stream.fileno(), AT_ONCE)):
                self._kept = (self._kept + part)[-4 * SHOWN :]
        if self._stream is not None:
            self._stream.close()
