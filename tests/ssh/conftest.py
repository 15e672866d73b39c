"""SSH servers as fixtures."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ssh.servers import Server, serving
from tests.sshd import MISSING, Sshd, can_run, running

from memrunbook.core.host import Host
from memrunbook.runtime.ports import Connector
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.ssh import SshConnector

Way = Callable[[Host, SshOptions], Connector]
WAYS: dict[str, Way] = {"ssh": SshConnector, "openssh": OpensshConnector}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Each way to reach a host by SSH: what is asked of one is asked of the other."""
    if request.param == "openssh" and not shutil.which("ssh"):
        pytest.skip("OpenSSH's client is not installed here")
    return WAYS[str(request.param)]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither keys nor agent of the person who runs the tests."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    *before, _, shell = pwd.getpwuid(os.getuid())
    mine = pwd.struct_passwd((*before, str(home), shell))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: mine)
    return home


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[Sshd]:
    if not can_run():
        pytest.skip(MISSING)
    folder = tmp_path / "openssh"
    folder.mkdir()
    with running(folder) as sshd:
        yield sshd
