"""Runs commands in a guest with OpenSSH's client; root's commands share one connection, as a new one takes 2 s."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.lab.errors import CommandFailed, Unreachable
from tests.kernel.lab.waiting import wait_until

ANSWER_SECONDS = 180
"""A command may take: some guests are out of memory, and all share the processors of this machine."""
_SSH_FAILED = 255
_ALIVE = "-oServerAliveInterval=10 -oServerAliveCountMax=12"
_OPTIONS = f"-F none -oIdentitiesOnly=yes -oBatchMode=yes -oLogLevel=ERROR -oConnectTimeout=10 {_ALIVE}".split()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command in a guest said, and how it ended."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a guest's ssh is, with which key, and where its host key is written down."""

    port: int
    identity: Path
    known_hosts: Path

    def argv(self, user: str) -> list[str]:
        """Return the ssh command up to and including the destination."""
        key = ["-i", str(self.identity), f"-oUserKnownHostsFile={self.known_hosts}", "-oStrictHostKeyChecking=yes"]
        return ["ssh", *_OPTIONS, *key, "-p", str(self.port), f"{user}@127.0.0.1"]


class Shell:
    """Commands for one guest."""

    def __init__(self, address: Address, socket: Path | None = None) -> None:
        """Use the shared connection at *socket* for root, if it is there."""
        self.address = address
        self._socket = socket

    def run(self, command: str, *, user: str = "root", stdin: bytes = b"", seconds: float = ANSWER_SECONDS) -> Answer:
        """Run *command* by the user's login shell; raise Unreachable if ssh itself fails or *seconds* pass."""
        shared = [f"-oControlPath={self._socket}"] if self._socket and user == "root" else []
        argv = self.address.argv(user)
        try:
            finished = subprocess.run(
                [argv[0], *shared, *argv[1:], command], input=stdin, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as late:
            message = f"no answer in {seconds:.0f} s: {command}"
            raise Unreachable(message) from late
        said = finished.stderr.decode(errors="replace")
        if finished.returncode == _SSH_FAILED:
            raise Unreachable(said)
        return Answer(finished.returncode, finished.stdout.decode(errors="replace"), said)

    def check(self, command: str, *, user: str = "root", stdin: bytes = b"", seconds: float = ANSWER_SECONDS) -> str:
        """Return what *command* printed; raise CommandFailed if it exits with another status than 0."""
        answer = self.run(command, user=user, stdin=stdin, seconds=seconds)
        if answer.status != 0:
            message = f"{command} exited with {answer.status}: {answer.stderr.strip()}"
            raise CommandFailed(message)
        return answer.stdout


@contextmanager
def connected(address: Address, *, seconds: float) -> Iterator[Shell]:
    """Yield a shell with a shared connection, as soon as the guest's ssh answers within *seconds*."""
    wait_until(lambda: Shell(address).run("true", seconds=20).status == 0, seconds=seconds, what="ssh answers")
    with tempfile.TemporaryDirectory(prefix="lab-") as place:
        socket = Path(place) / "ssh"
        argv = address.argv("root")
        master = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", argv[0], "-M", "-N", f"-oControlPath={socket}", *argv[1:]],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(socket.exists, seconds=seconds, what="a shared connection")
            yield Shell(address, socket)
        finally:
            master.terminate()
            with suppress(subprocess.TimeoutExpired):
                master.wait(10)
