"""A home and a state directory of the test's own; servers to log in to."""

from __future__ import annotations

import fcntl
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.apart import RUN, is_own
from tests.cli.console import ETC
from tests.ssh.servers import Server, serving
from tests.sshd import MISSING, Sshd, can_run, running

from memrunbook.documents import library


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither keys, agent, runbooks nor state of the person who runs the tests, nor rules of whose machine it is."""
    if is_own():  # nobody else's lock is there: only that of a test which failed
        (RUN / "memrunbook.lock").unlink(missing_ok=True)
    home = tmp_path / "home"
    monkeypatch.setattr(library, "ADMINISTRATORS", tmp_path / "etc")
    monkeypatch.setenv(ETC, str(tmp_path / "etc"))
    (home / ".ssh").mkdir(parents=True)
    for name in ("SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "RUNBOOK_PATH", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    return home


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def machine(state: Path) -> Iterator[None]:
    """This machine for one run at a time: its lock is one for all tests that share a /run.

    What a run of this test left behind, because it was cut off on purpose, is removed.
    """
    shared = RUN if os.access(RUN, os.W_OK) else Path(tempfile.gettempdir())
    everybody = shared / f"memrunbook-tests-{os.getuid()}.lock"
    with everybody.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        uid = os.getuid()
        temporary = Path(os.environ.get("TMPDIR", "/tmp")) / f"memrunbook-{uid}" / "lock"
        for lock in (Path("/run/memrunbook.lock"), Path(f"/run/user/{uid}/memrunbook.lock"), temporary):
            left = lock.read_text().split(" ")[0] if lock.exists() else ""
            if left and (state / "runs" / left).is_dir():
                lock.unlink()
        for run in (state / "runs").glob("*"):
            for folder in (Path("/run"), temporary.parent):
                for mark in (folder / f"memrunbook-{run.name}.started", folder / f"{run.name}.started"):
                    mark.unlink(missing_ok=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needs_login()
    with running(tmp_path_factory.mktemp("sshd")) as sshd:
        yield sshd


def needs_login() -> None:
    """Skips where OpenSSH's server is missing or lets this user not in."""
    if not can_run():
        pytest.skip(MISSING)
    if Path(pwd.getpwuid(os.getuid()).pw_shell).name in ("nologin", "false"):
        pytest.skip("the user who runs the tests has no login shell")


def arguments(server: Server) -> list[str]:
    """What the command line needs to reach a misbehaving server."""
    return [
        f"--host={server.host.user}@127.0.0.1:{server.port}",
        f"--identity={server.folder / 'id'}",
        f"--known-hosts={server.folder / 'known_hosts'}",
        f"--ssh-config={server.folder / 'config'}",
    ]
