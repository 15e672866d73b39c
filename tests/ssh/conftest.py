"""SSH servers as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ssh.servers import Server, serving
from tests.sshd import MISSING, Sshd, can_run, running


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither keys nor agent of the person who runs the tests."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
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
