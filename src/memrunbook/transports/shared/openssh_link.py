"""A connection that OpenSSH's client holds, and its channels, which are clients of that (ControlMaster)."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from memrunbook.core.reading.probe import quoted
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.shell import Channel, NoShellError
from memrunbook.transports.shared.ssh_log import SshLog

# ssh has no input and no terminal. When we are gone, however that came, our end of its keeper's input is closed.
KEEPER = """\
exec 3<&0 </dev/null
{ while read -r _; do :; done <&3; kill "$$"; } >/dev/null 2>&1 &
exec 3<&- "$@"
"""
_CHUNK = 1 << 16
_CHECK_SECONDS = 5.0


class OpensshClient:
    """The process that holds a connection: its log, and what it and those on its way write besides."""

    def __init__(self, words: tuple[str, ...], stem: Path, environment: Mapping[str, str]) -> None:
        self._pipe = stem.with_suffix(".log")
        os.mkfifo(self._pipe, 0o600)
        self._file = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.log, self.beside = SshLog(), SshLog()
        try:
            self.child = Child(("sh", "-c", KEEPER, "sh", *words), environment=environment)
        except BaseException:
            self.forget_log()
            raise

    def hear(self, seconds: float) -> bool:
        """Takes what is said, within so many seconds; False once the client has ended and all is heard."""
        ended = self.child.ended
        heard = self._heard(0.0 if ended else seconds)
        return heard or not ended

    def _heard(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        poll.register(self.child.output, select.POLLIN)
        heard = False
        for file, _ in poll.poll(seconds * 1000):
            with suppress(OSError):
                if data := os.read(file, _CHUNK):
                    (self.log if file == self._file else self.beside).feed(data)
                    heard = True
        return heard

    def forget_log(self) -> None:
        """Lets go of the log: what comes from now on is nobody's concern (ssh ignores that nobody reads it)."""
        with suppress(OSError):
            os.close(self._file)
        self._file = -1
        self._pipe.unlink(missing_ok=True)

    def end(self) -> None:
        """Kills it and what it started on this machine."""
        if self._file >= 0:
            self.forget_log()
        self.child.kill()
        self.child.close()


class OpensshLink:
    """Channels over a connection by its socket; with a `client` of ours it ends with the link."""

    def __init__(self, program: str, socket: Path, client: OpensshClient | None = None) -> None:
        self._socket = socket
        self._client = client
        # Where the socket is gone, ssh would connect anew: by a way that leads nowhere.
        self._words = (
            *(program, "-F", "/dev/null", "-S", str(socket), "-o", "ControlMaster=no", "-o", "ProxyCommand=false"),
            *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-T", "-e", "none"),
        )

    def answers(self) -> bool:
        """True where somebody holds the connection and answers soon."""
        check = Child((*self._words, "-O", "check", "--", "runbook"))
        deadline = time.monotonic() + _CHECK_SECONDS
        came = b""
        with suppress(OSError):
            while data := check.receive(deadline - time.monotonic()):
                came += data
        check.kill()
        check.close()
        return b"Master running" in came

    def start(self, command: tuple[str, ...], seconds: float) -> Channel:
        """Starts a command on a channel of its own; whether it began shows when it answers. Raises NoShellError."""
        del seconds
        try:
            return Child((*self._words, "--", "runbook", "exec " + quoted(command)))
        except OSError as error:
            raise NoShellError(str(error), silent=False) from error

    def drop(self, channel: Channel) -> None:
        """Ends the client of a channel at once; the one that holds the connection closes it then."""
        if isinstance(channel, Child):
            channel.kill()

    def close(self) -> None:
        """Closes the connection where it is ours; one that the user had open stays so."""
        if self._client is not None:
            self._client.end()
            self._socket.unlink(missing_ok=True)
