"""The shells on one SSH link, whichever client holds it: that of a run, as root where sudo gives it, and its end."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

from memrunbook.core.errors import LoginError, SudoError, Unreachable
from memrunbook.core.text import clean
from memrunbook.transports.shared.shell import COMMAND, SUDO, Channel, Hello, NoShellError, Shell
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.sudo import asking, become_root, no_root_for

STOP_SECONDS = 5.0
_REFUSED = ("Session open refused by peer", "ChannelException(")


class ShellLink(Protocol):
    """A connection that carries several channels."""

    def start(self, command: tuple[str, ...], seconds: float) -> Channel:
        """Starts a command on a channel of its own, within so many seconds. Raises NoShellError."""

    def drop(self, channel: Channel) -> None:
        """Ends a channel at once, whatever still comes from it; another thread may be reading it."""

    def close(self) -> None:
        """Closes the connection."""


class LinkedShells:
    """Starts shells on a link, and ends the one of the run from outside."""

    def __init__(self, link: ShellLink, where: str, options: SshOptions) -> None:
        self._link = link
        self._where = where
        self._options = options
        self._channels: list[Channel] = []
        self._root = False

    def open(self, user: str) -> tuple[Shell, str]:
        """A shell, and what sudo said where it gave no root. Raises SudoError, LoginError or Unreachable."""
        options, no_root = self._options, ""
        patience = max(options.timeouts.channel, options.patience)
        if user != "root" and options.sudo != "never":
            try:
                return self._opened(patience, root=True), ""
            except NoShellError as refused:
                no_root = _said(refused)
                if options.sudo_password is not None or options.sudo == "always":
                    raise no_root_for(user, no_root, self._where) from refused
        try:
            return self._opened(patience, root=False), no_root
        except NoShellError as missing:
            raise self._no_shell(missing, user, patience) from missing

    def _opened(self, seconds: float, *, root: bool) -> Shell:
        self._root = root
        password = self._options.sudo_password if root else None
        nonce = secrets.token_hex(8)
        channel = self._link.start(asking(nonce) if password else SUDO if root else COMMAND, seconds)
        self._channels.append(channel)
        try:
            if password is not None:
                become_root(channel, password, nonce, self._where, seconds)
            shell = Shell(channel, timeout=seconds)
        except BaseException:
            self._link.drop(channel)  # a sudo that waits for another try gets none
            raise
        return shell

    def _no_shell(self, missing: NoShellError, user: str, seconds: float) -> Unreachable | LoginError:
        if missing.silent:
            return Unreachable(
                f"logged in, but no shell answered in {seconds:.0f} s: the host may be thrashing",
                where=self._where,
                hint="wait longer with --patience 5m, or use its console",
            )
        return LoginError(
            f"logged in as {user}, but got no shell: {_said(missing)}",
            where=self._where,
            hint="a forced command, an account without a shell, or a host that cannot fork",
        )

    def stop(self, hello: Hello) -> bool:
        """Kills the shell's process group through a second channel and looks whether it is gone."""
        for channel in self._channels:
            self._link.drop(channel)  # endless output would keep us from hearing the answer
        target = f"-{hello.own_group}" if hello.own_group else str(hello.pid)
        deadline = time.monotonic() + STOP_SECONDS
        try:
            shell = self._opened(STOP_SECONDS, root=self._root)
        except (NoShellError, SudoError):
            return False
        while (left := deadline - time.monotonic()) > 0:
            output = shell.execute('kill -s KILL -- "$1"', (target,), timeout=left, limit=1000)
            if output.status != 0:
                return bool(hello.own_group) and "No such process" in output.text
            time.sleep(0.1)
        return False

    def close(self) -> None:
        """Lets go of the shells, and closes the connection."""
        for channel in self._channels:
            channel.close()
        self._link.close()


def _said(refused: NoShellError) -> str:
    if any(words in refused.said for words in _REFUSED):
        return "the host refused a session"
    return clean(refused.said.strip()) or "it said nothing"
