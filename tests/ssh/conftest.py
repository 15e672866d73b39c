"""SSH servers as fixtures."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ssh.net import Net, Way, has_ipv6
from tests.ssh.servers import Server, serving
from tests.sshd import MISSING, Sshd, can_run, public, running

from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.ssh import SshConnector

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


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    one, other = (tmp_path_factory.mktemp(name) for name in ("inner", "outer"))
    also = ["ListenAddress ::1"] if has_ipv6() else []
    with running(one, *also) as inner, running(other, *also) as outer:
        (other / "authorized").write_bytes((one / "id.pub").read_bytes())
        yield Net(inner, outer)


@pytest.fixture
def net(servers: Net) -> Net:
    inner, outer = servers.inner, servers.outer
    keys = [(name, one) for one in (inner, outer) for name in ("127.0.0.1", "::1", "localhost")]
    lines = [f"[{name}]:{one.port} {public(one.folder / 'host.pub')}\n" for name, one in keys]
    (servers.folder / "known_hosts").write_text("".join(lines), encoding="ascii")
    (servers.folder / "id").chmod(0o600)
    return servers
