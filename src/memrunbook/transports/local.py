"""Reaches this machine itself: the same shell as a child process."""

from __future__ import annotations

import os
import secrets

from memrunbook.core.errors import Unreachable, UsageError
from memrunbook.core.host import LOCAL, Host, HostIdentity
from memrunbook.core.text import clean
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.reach import Reach, Way
from memrunbook.transports.shared.shell import COMMAND, SUDO, Shell, ShellSession, SudoMode
from memrunbook.transports.shared.sudo import SudoPassword, asking, become_root, no_root_for
from memrunbook.transports.shared.this_user import this_user

_ANSWER_SECONDS = 30.0


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
