"""The demo of a cluster: of two workers one is killed, each step is done once, and nothing is left of it all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import farm
from tests import postgres, sshd
from tools import demo_cluster

ROOT = Path(__file__).parents[2]
LACK = demo_cluster.missing()
here = pytest.mark.skipif(bool(LACK), reason=LACK or "nothing is missing")


def demo(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tools.demo_cluster", *words]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL's user may look into."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
@here
def test_each_step_is_done_once_though_a_worker_is_killed(folder: Path) -> None:
    running = demo(folder, "--hosts=4")
    said, errors = running.communicate()
    assert running.returncode == 0, said + errors
    assert "KILLED: node-" in said
    assert "ok  16 effects in 4 files" in said
    assert said.count("ok  runbook audit verify of ") == 3
    assert said.endswith("All of it is as it shall be.\n")
    assert max(map(len, said.splitlines())) <= 80
    assert list(folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@here
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_one_that_is_stopped(folder: Path, ended_by: signal.Signals) -> None:
    running = demo(folder, "--hosts=2")
    assert running.stdout is not None
    pids = []
    for line in running.stdout:
        pids += [int(word) for word in line.split("pid ", 1)[-1].split()[:1] if "pid " in line and word.isdigit()]
        if "worker node-2" in line:
            running.send_signal(ended_by)
            break
    said, _ = running.communicate()
    assert running.returncode == 1
    assert "it was stopped before its end" in said
    assert len(pids) == 3, "PostgreSQL and two workers"
    assert not farm.alive(pids)
    assert list(folder.iterdir()) == []


def test_what_is_missing_is_said_with_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: None)
    monkeypatch.setattr(sshd, "SSHD", None)
    assert demo_cluster.main([]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "apt-get install postgresql openssh-server" in error


@pytest.mark.parametrize(("user", "hint"), [(1000, "sudo make demo-cluster"), (0, "--privileged")])
def test_without_root_or_namespaces_it_is_said_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], user: int, hint: str
) -> None:
    monkeypatch.setattr(postgres, "programs", lambda: Path("/usr/bin"))
    monkeypatch.setattr(farm, "missing", lambda: "")
    monkeypatch.setattr(farm, "can_be_apart", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert demo_cluster.main([]) == 1
    assert hint in capsys.readouterr().err
