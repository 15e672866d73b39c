"""One long-lived POSIX sh at the other end of a byte channel: starts it, runs scripts in it, bounds what comes back."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, Protocol

from msgspec import Struct, structs

from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.probe import quoted
from memrunbook.runtime.ports import Output

SudoMode = Literal["auto", "always", "never"]
"""Root through `sudo -n` where it works, or refuse to go on without it, or never."""

COMMAND = ("sh", "-s")
SUDO = ("sudo", "-n", *COMMAND)
HELLO_SECONDS = 30.0
DRAINED = 4
"""Output is read on to this many times its limit, in the hope of its end; after that the shell is given up."""

_JUNK = 1 << 16
_CHUNK_OVERLAP = 80
_STATUS = re.compile(rb"(\d+)\n")

_PREAMBLE = """\
set +eu; unset ENV BASH_ENV CDPATH; umask 077; cd /
LC_ALL=C; PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
shell_adj=0 shell_group= shell_user=
{ read -r shell_adj; } 2>/dev/null </proc/self/oom_score_adj
{ printf '%s\\n' -1000 >/proc/self/oom_score_adj; } 2>/dev/null
instead() {
  { printf '%s\\n' "${shell_adj:-0}" >/proc/self/oom_score_adj; } 2>/dev/null
  exec "$@"
}
child() { ( instead "$@" ); }
{ read -r shell_line; } 2>/dev/null </proc/self/stat
shell_ids() { shell_parent=$2 shell_group=$3; }
shell_ids ${shell_line##*) }
{ while read -r shell_key shell_real shell_effective shell_rest; do
    [ "$shell_key" = Uid: ] && shell_user=$shell_effective
  done; } 2>/dev/null </proc/self/status
"""
_HELLO = 'printf \'@@%s hello %s %s %s %s @\\n\' {nonce} "$$" "$shell_parent" "$shell_group" "$shell_user"\n'

Ending = Literal["done", "late", "lost", "flood"]


class Channel(Protocol):
    """A stream of bytes to and from a shell; whatever goes wrong with it is an OSError."""

    def send(self, data: bytes, timeout: float) -> None:
        """Sends all of it within `timeout` seconds."""

    def receive(self, timeout: float) -> bytes:
        """What has come, b"" at the end of the stream; TimeoutError after `timeout` seconds of silence."""

    def close(self) -> None:
        """Closes the stream."""


class Hello(Struct, frozen=True):
    """What a shell said of itself; ids are 0 and `uid` is -1 where /proc does not tell."""

    pid: int
    parent: int
    group: int
    uid: int

    @property
    def own_group(self) -> int:
        """The process group that holds the shell and nothing but what it started; 0 when it shares its group."""
        return self.group if self.group in {self.pid, self.parent} and self.group > 1 else 0


class NoShellError(OSError):
    """The shell did not say hello; `said` is what came instead, `silent` tells whether the wait ran out."""

    def __init__(self, said: str, *, silent: bool) -> None:
        super().__init__("the shell did not start")
        self.said = said
        self.silent = silent


class Frame:
    """Collects output up to the line `@@NONCE exit STATUS`, keeping the first `limit` bytes of it."""

    def __init__(self, nonce: str, limit: int) -> None:
        self._end = f"@@{nonce} exit ".encode()
        self._limit = limit
        self._kept = bytearray()
        self._tail = b""
        self.seen = 0

    @property
    def truncated(self) -> bool:
        """True when output was left out."""
        return self.seen > self._limit

    @property
    def text(self) -> str:
        """What was kept; bytes that are no UTF-8 appear as escapes."""
        return self._kept.decode("utf-8", errors="backslashreplace")

    def feed(self, data: bytes) -> int | None:
        """Takes what has come; returns the exit status once the last line is there."""
        window = self._tail + data
        at = window.find(self._end)
        if at >= 0 and (found := _STATUS.match(window, at + len(self._end))):
            self._keep(window[:at])
            return int(found[1])
        self._keep(window[:-_CHUNK_OVERLAP])
        self._tail = window[-_CHUNK_OVERLAP:]
        return None

    @property
    def flooded(self) -> bool:
        """True when reading on makes no sense."""
        return self.seen > self._limit * DRAINED

    def finish(self) -> None:
        """Takes what was held back: no last line will come."""
        self._keep(self._tail)

    def _keep(self, data: bytes) -> None:
        self._kept += data[: max(0, self._limit - len(self._kept))]
        self.seen += len(data)


class Shell:
    """A started shell. After a timeout, a flood or a loss it is `ended` and answers nothing any more."""

    def __init__(self, channel: Channel, *, timeout: float = HELLO_SECONDS) -> None:
        """Starts it: sends the preamble and waits for the hello, dropping banners. Raises NoShellError."""
        self._channel = channel
        self.ended = False
        self.hello = self._greet(timeout)

    def _greet(self, timeout: float) -> Hello:
        nonce = secrets.token_hex(8)
        line = re.compile(rf"@@{nonce} hello (\d+) (\d*) (\d*) (\d*) @\n".encode())
        deadline = time.monotonic() + timeout
        came = b""
        silent = False
        self._send((_PREAMBLE + _HELLO.format(nonce=nonce)).encode(), timeout)
        try:
            while data := self._channel.receive(deadline - time.monotonic()):
                came = came[-_JUNK:] + data
                if found := line.search(came):
                    pid, parent, group, uid = (int(field) if field else -1 for field in found.groups())
                    return Hello(pid=pid, parent=parent, group=group, uid=uid)
        except TimeoutError:
            silent = True
        except OSError:
            silent = False
        raise NoShellError(came.decode("utf-8", errors="backslashreplace"), silent=silent)

    def execute(self, script: str, args: Sequence[str], *, timeout: float, limit: int) -> Output:
        """See `Session.execute`; the script is a function body, so it ends by `return`, never by `exit`."""
        started = time.monotonic()
        nonce = secrets.token_hex(8)
        frame = Frame(nonce, limit)
        outcome: Ending = "lost"
        status = None
        text = _wrapped(script, args, nonce)
        if not self.ended:
            self.ended = True  # until proven otherwise, whatever is raised meanwhile
            self._send(text, timeout)
            outcome, status = self._follow(frame, started + timeout)
            self.ended = outcome != "done"
        return Output(
            status=status,
            text=frame.text,
            seconds=time.monotonic() - started,
            truncated=frame.truncated,
            timed_out=outcome == "late",
            lost=outcome == "lost",
        )

    def leave(self) -> None:
        """Asks the shell to exit."""
        self._send(b"exit\n", 1.0)
        self.ended = True

    def _send(self, data: bytes, timeout: float) -> None:
        # What the shell said before it went says more than the failure to write to it.
        with suppress(OSError):
            self._channel.send(data, timeout)

    def _follow(self, frame: Frame, deadline: float) -> tuple[Ending, int | None]:
        outcome: Ending = "lost"
        try:
            while data := self._channel.receive(deadline - time.monotonic()):
                status = frame.feed(data)
                if status is not None:
                    return "done", status
                if frame.flooded:
                    outcome = "flood"
                    break
        except TimeoutError:
            outcome = "late"
        except OSError:
            outcome = "lost"
        frame.finish()
        return outcome, None


def _wrapped(script: str, args: Sequence[str], nonce: str) -> bytes:
    if any("\0" in arg for arg in args):
        raise ValueError("a shell argument cannot hold a NUL byte")
    # The call is one group: of a line that was cut off (the engine was killed while it was sent) nothing is done.
    return (
        f"memrunbook_run() {{\n{script}\n}}\n{{ memrunbook_run {quoted(args)} </dev/null 2>&1\n}}\n"
        f"printf '@@%s exit %s\\n' {nonce} \"$?\"\n"
    ).encode()


class Wire(Protocol):
    """What carries a shell, and can end it from outside."""

    def stop(self, hello: Hello) -> bool:
        """Kills the shell and all it started; True when that is proven. Bounded in time."""

    def close(self) -> None:
        """Lets go of everything."""


class ShellSession:
    """A `Session` on a started shell."""

    def __init__(self, shell: Shell, identity: HostIdentity, line: Wire, no_root: str = "") -> None:
        self.no_root = no_root
        self._shell = shell
        self._identity = identity
        self._line = line
        self._busy = False

    @property
    def identity(self) -> HostIdentity:
        return self._identity

    @property
    def root(self) -> bool:
        return self._shell.hello.uid == 0

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Runs a script; one without an end is killed with its shell; `ended` says whether that is proven."""
        self._busy = True
        try:
            output = self._shell.execute(script, args, timeout=timeout, limit=limit)
        except BaseException:
            self._line.stop(self._shell.hello)
            raise
        finally:
            self._busy = False
        if output.status is None and not output.lost:
            return structs.replace(output, ended=self._line.stop(self._shell.hello))
        return output

    def close(self) -> None:
        """Ends the shell; a script that still runs in it (another thread waits for it) is killed."""
        if self._busy:
            self._line.stop(self._shell.hello)
        elif not self._shell.ended:
            self._shell.leave()
        self._line.close()
