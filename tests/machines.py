"""Several machines on this one, for runs over many hosts: each an sshd with a /run and a machine-id of its own.

So each has its own lock, marks and identity; what commands write elsewhere is one file system. Needs root.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import sshd
from tests.cli.books import act, book

APART = """\
mount -t tmpfs tmpfs /run && mkdir /run/sshd && echo "$1" >/run/name && mount --bind "$2" /etc/machine-id || exit
shift 2
exec "$@"
"""
NAME = "$(cat /run/name)"


@dataclass(frozen=True)
class Machines:
    """Running machines by name. `arguments` are what the command line needs to reach any of them by its name."""

    folder: Path
    names: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        known = [f"--ssh-config={self.folder / 'config'}", f"--known-hosts={self.folder / 'known_hosts'}"]
        return [*known, "--patience=5m"]


def needs_machines() -> None:
    """Skips where there can be none."""
    if not sshd.can_run():
        pytest.skip(sshd.MISSING)
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/run"]
    if (
        os.geteuid()
        or not shutil.which("unshare")
        or subprocess.run(tried, check=False, capture_output=True).returncode
    ):
        pytest.skip("machines of their own need root, and unshare")


@contextmanager
def machines(folder: Path, names: Sequence[str]) -> Iterator[Machines]:
    """Starts a machine for each name; they end with the test."""
    folder.mkdir(exist_ok=True)
    sshd.make_key(folder / "id")
    with ExitStack() as stack:
        for number, name in enumerate(names, 1):
            stack.enter_context(_machine(folder, number, name))
        yield Machines(folder, tuple(names))


@contextmanager
def _machine(folder: Path, number: int, name: str) -> Iterator[None]:
    home, port = folder / name, sshd.free_port()
    home.mkdir()
    sshd.make_key(home / "host")
    (home / "machine-id").write_text(f"{number:032x}\n")
    lines = sshd.settings(home / "host", folder / "id.pub", port, ["127.0.0.1"])
    before = ["unshare", "-m", "sh", "-c", APART, "sh", name, str(home / "machine-id")]
    server = sshd.start(home, lines, before)
    try:
        sshd.wait_for("127.0.0.1", port, server, home / "sshd.log")
        with (folder / "config").open("a") as config, (folder / "known_hosts").open("a") as known:
            user, key = getpass.getuser(), folder / "id"
            config.write(f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {key}\n")
            known.write(f"[127.0.0.1]:{port} {sshd.public(home / 'host.pub')}\n")
        yield
    finally:
        server.terminate()
        server.wait(10)


def counted(folder: Path, risk: str = "low", seconds: str = "0") -> str:
    """A runbook of one once-only step that notes its host in `folder`/effects; it fails where `folder`/bad-HOST is.

    Its proof is that memory is there; so it helps wherever it does not fail.
    """
    note = f"$(date +%s.%N) >>{folder}/effects"
    does = [f"echo {NAME} begins {note}", f"sleep {seconds}", f"[ ! -e {folder}/bad-{NAME} ] || exit 1"]
    script = "; ".join([*does, f"echo {NAME} ends {note}"])
    return book(folder, act("note", "sh", "-c", script, risk=risk))


def noted(folder: Path, what: str = "begins") -> list[str]:
    """The hosts that did so, in the order in which they did."""
    path = folder / "effects"
    rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [row[0] for row in rows if row[1] == what]
