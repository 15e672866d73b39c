"""The connection is cut before, during and after each command of a run, against OpenSSH's own server.

What was under way is named and its outcome is not made up; `resume` looks, and no effect happens twice.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from tests.cli.books import act, book
from tests.cli.conftest import needs_login
from tests.cli.console import Ran, here
from tests.cli.killing import NAMES, effects, gone, left_on_host
from tests.sshd import Sshd, public, running
from tests.tcp_cutter import Cutter, cutter

from memrunbook.app.reporting import list_runs
from memrunbook.state import disk

pytestmark = pytest.mark.usefixtures("machine")
Phase = Literal["before", "during", "answer lost", "after"]
PHASES: tuple[Phase, ...] = ("before", "during", "answer lost", "after")
COMMAND = 0.4
"""Seconds that each command takes after its effect."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needs_login()
    with running(tmp_path_factory.mktemp("host")) as server:
        yield server


@pytest.fixture
def way(host: Sshd) -> Iterator[Cutter]:
    with cutter(host.port) as cut:
        yield cut


def arguments(host: Sshd, way: Cutter, folder: Path) -> list[str]:
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{way.port} {public(host.folder / 'host.pub')}\n")
    return [
        f"--host={host.user}@127.0.0.1:{way.port}",
        f"--identity={host.folder / 'id'}",
        f"--known-hosts={known}",
        f"--ssh-config={host.folder / 'config'}",
    ]


def slow_steps(folder: Path) -> str:
    """Four once-only steps whose commands go on for a while after their effects."""
    does = [act(name, "sh", "-c", f"echo {name} >>{folder / 'effects'}; sleep {COMMAND}") for name in NAMES]
    path = Path(book(folder, *does, resolved="memory.available_percent > 100.0", name=folder.name))
    path.write_text(path.read_text().replace("every: 200ms", "every: 20ms"))
    return str(path)


class Cut:
    """Cuts the connection at one of the commands, as the journal tells of it."""

    def __init__(self, way: Cutter, folder: Path, number: int, phase: Phase) -> None:
        self.way, self.folder, self.number, self.phase = way, folder, number, phase
        self.whole, self.asked, self.watching = disk.append, 0, threading.Thread(target=self._watch)

    def append(self, file: int, path: Path, content: bytes, *, durable: bool = True) -> None:
        self.whole(file, path, content, durable=durable)
        if b'"event":"asked"' in content and b'"type":"Execute"' in content:
            self.asked += 1
            if self.asked == self.number:
                self._begins()
        elif self.asked == self.number and self.phase == "after" and b'"type":"Done"' in content:
            self.way.cut()

    def _begins(self) -> None:
        if self.phase == "before":
            self.way.cut()
        elif self.phase in ("during", "answer lost"):
            self.way.swallow = self.phase == "answer lost"
            self.watching.start()

    def _watch(self) -> None:
        deadline = time.monotonic() + 20
        while effects(self.folder)[NAMES[self.number - 1]] == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        if self.phase == "answer lost":
            time.sleep(2 * COMMAND)
        self.way.cut()


def lost(cut: Cut, words: list[str]) -> Ran:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(disk, "append", cut.append)
        return here(*words)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("phase", PHASES)
def test_a_lost_connection_is_told_looked_at_and_repeats_nothing(
    tmp_path: Path, host: Sshd, way: Cutter, number: int, phase: Phase
) -> None:
    state, folder = tmp_path / "state", tmp_path / f"lost-{number}"
    folder.mkdir()
    words = ["run", slow_steps(folder), *arguments(host, way, tmp_path), "--yes"]
    ran = lost(Cut(way, folder, number, phase), words)
    name, run = NAMES[number - 1], list_runs(state).runs[0].run_id
    assert ran.code == (4 if phase == "after" else 7), ran.said
    assert f"Go on    runbook resume {run}" in ran.out
    assert "connection" in ran.out.splitlines()[0]
    if phase != "after":
        assert [one.step for one in list_runs(state).open] == [name]
        assert here("runs").code == 7
        assert here("report", run).code == 7
        assert f"{name}: Run sh -c" in here("runs").out
    assert f"to go on: runbook resume {run} --state-dir {state}" in here("runs").out
    gone(run)
    resumed = here("resume", run, "--yes")
    assert resumed.code == 3, resumed.said
    assert effects(folder) == dict.fromkeys(NAMES, 1)
    assert list_runs(state).open == ()
    assert "Steps: 4 done" in here("report", run).out
    assert here("runs").code == 0
    assert here("audit", "verify").code == 0
    assert not left_on_host(state)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("back", [True, False], ids=["it-is-back-at-once", "it-stays-away"])
def test_a_run_that_has_ended_leaves_no_lock_where_the_host_is_reached_once_more(
    tmp_path: Path, state: Path, host: Sshd, monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    folder, whole = tmp_path / "ended", disk.append
    folder.mkdir()
    with cutter(host.port) as way:

        def append(file: int, path: Path, content: bytes, *, durable: bool = True) -> None:
            whole(file, path, content, durable=durable)
            if b'"event":"asked"' in content and b'"type":"Unlock"' in content:
                way.cut()
                if not back:
                    way.listening.shutdown(socket.SHUT_RDWR)

        monkeypatch.setattr(disk, "append", append)
        ran = here("run", slow_steps(folder), *arguments(host, way, tmp_path), "--yes")
        assert ran.code == 3, ran.said
        assert effects(folder) == dict.fromkeys(NAMES, 1)
        assert ("the lock of this run stays there" in ran.said) is not back
        assert bool(left_on_host(state)) is not back
    if not back:
        monkeypatch.setattr(disk, "append", whole)
        with cutter(host.port) as way:
            words = ["run", slow_steps(folder), *arguments(host, way, tmp_path), "--yes"]
            assert "its shell is gone" in here(*words).said
            assert here(*words, "--break-lock").code == 3
        (marks,) = left_on_host(state)  # of the first run, until the host is booted anew; its lock is gone
        assert marks.suffix == ".started"
        marks.unlink()


@pytest.mark.timeout(120)
def test_a_host_that_stays_away_is_gone_on_with_when_it_is_back(tmp_path: Path, state: Path, host: Sshd) -> None:
    with cutter(host.port) as way:
        folder = tmp_path / "away"
        folder.mkdir()
        words = ["run", slow_steps(folder), *arguments(host, way, tmp_path), "--yes"]
        assert lost(Cut(way, folder, 2, "during"), words).code == 7
    for _ in range(2):
        away = here("resume", "last", "--yes", "--patience", "1s")
        assert away.code == 7, away.said
        assert "it could not be looked at" in away.out
        assert "2 skipped" in away.out
    run = list_runs(state).runs[0].run_id
    gone(run)
    with cutter(host.port, at=way.port):
        resumed = here("resume", run, "--yes")
    assert resumed.code == 3, resumed.said
    assert effects(folder) == dict.fromkeys(NAMES, 1)
    assert here("runs").code == 0
    assert here("audit", "verify").code == 0


@pytest.mark.timeout(120)
def test_a_host_that_nothing_is_open_on_is_gone_on_with_too(tmp_path: Path, host: Sshd) -> None:
    with cutter(host.port) as way:
        folder = tmp_path / "away"
        folder.mkdir()
        words = ["run", slow_steps(folder), *arguments(host, way, tmp_path), "--yes"]
    away = here(*words, "--patience", "1s")
    assert away.code == 4, away.said
    assert here("runs").code == 0
    assert here("resume", "last", "--yes", "--patience", "1s").code == 4
    with cutter(host.port, at=way.port):
        assert here("resume", "last", "--yes").code == 3
    assert effects(folder) == dict.fromkeys(NAMES, 1)
    here("resume", "last").refused(5, "has ended (127.0.0.1 unresolved)", hint="runbook report")
