"""A change for a while on a real host without systemd: its shell is killed right after, and the host takes it back."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sshd import MISSING, Sshd, can_run, running

from memrunbook.actions.shared import sysfs
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Done
from memrunbook.linux.hold import Mark, read_mark
from memrunbook.runtime.execute import compare, execute, take_back
from memrunbook.runtime.holding import HoldingRun
from memrunbook.runtime.ports import Session
from memrunbook.transports.ssh import SshConnector

SHELLS = {"dash": 'exec dash "$@"', "bash": 'exec bash --posix "$@"', "busybox": 'exec busybox sh "$@"'}
AT = Instant(1_700_000_000.0, 0.0)
HOLDER = HoldingRun("20261129T031207Z-abcd", "swap-thrashing")
WITNESS = "runbook: run=20261129T031207Z-abcd step=swap-less"


class Knob:
    """A file that stands for a kernel parameter, and the mark of its hold."""

    def __init__(self, folder: Path) -> None:
        self.file, self.place = folder / "swappiness", folder / "holds" / "one"
        self.file.write_text("60\n")

    @property
    def value(self) -> str:
        return self.file.read_text().strip()

    @property
    def mark(self) -> Mark:
        found = read_mark(self.place.read_text())
        assert found is not None
        return found

    def change(self, seconds: float) -> Change:
        file = str(self.file)
        return Change(
            action="set_sysctl",
            summary="vm.swappiness 60 -> 10",
            target="vm.swappiness",
            script=sysfs.SCRIPT,
            args=sysfs.arguments({file: "10"}),
            risk=Risk.LOW,
            repeat=Repeat.IDEMPOTENT,
            undo=sysfs.undo({file: "10"}, {file: "60"}),
            back_after=seconds,
        )


@pytest.fixture
def knob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Knob:
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd runs here: its timers take changes back")
    found = Knob(tmp_path)
    monkeypatch.setattr("memrunbook.runtime.holding.place", lambda *_: str(found.place))
    return found


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sshd]:
    """A real sshd, for each shell that is installed here as its `sh`."""
    if not can_run():
        pytest.skip(MISSING)
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed here")
    programs, folder = tmp_path / "programs", tmp_path / "openssh"
    programs.mkdir()
    folder.mkdir()
    (programs / "sh").write_text(f"#!{shutil.which('sh')}\n{SHELLS[request.param]}\n")
    (programs / "sh").chmod(0o755)
    with running(folder, f"SetEnv PATH={programs}:/usr/local/bin:/usr/bin:/bin") as sshd:
        session = connected(sshd)
        shell = Path(f"/proc/{int(session.execute('echo $$').text)}/exe").readlink()
        session.close()
        assert shell.name == request.param, "it is this shell that is tried"
        yield sshd


def connected(host: Sshd) -> Session:
    return SshConnector(host.host, host.options).connect()


def until(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    return happened()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def held(host: Sshd, knob: Knob, seconds: float) -> int:
    """Changes it for a while and kills the shell and all of its session right after; the sleeper's process id."""
    session = connected(host)
    assert isinstance(execute(session, knob.change(seconds), WITNESS, AT, HOLDER), Done)
    shell = int(session.execute("echo $$").text)
    sleeper = knob.mark.sleeper
    assert os.getpgid(sleeper) != os.getpgid(shell)
    os.killpg(os.getpgid(shell), signal.SIGKILL)
    assert until(lambda: not lives(shell))
    session.close()
    return sleeper


def test_the_value_is_back_although_the_shell_was_killed(host: Sshd, knob: Knob) -> None:
    sleeper = held(host, knob, 3.0)
    assert knob.value == "10"
    assert lives(sleeper), "it survives the end of the login"
    own = Path("/proc/self/oom_score_adj").read_text()
    assert Path(f"/proc/{sleeper}/oom_score_adj").read_text() == own, "it is as easily killed as what the login starts"
    assert until(lambda: knob.value == "60")
    assert until(lambda: not knob.place.exists())
    assert until(lambda: not lives(sleeper))


def test_what_was_changed_by_hand_meanwhile_is_left_alone(host: Sshd, knob: Knob) -> None:
    sleeper = held(host, knob, 2.0)
    knob.file.write_text("30\n")
    assert until(lambda: not knob.place.exists())
    assert until(lambda: not lives(sleeper))
    assert knob.value == "30"


def test_another_login_takes_it_back_before_its_time_and_nothing_is_left_asleep(host: Sshd, knob: Knob) -> None:
    sleeper = held(host, knob, 600.0)
    session, change = connected(host), knob.change(600.0)
    assert change.undo is not None
    assert compare(session, change.undo, lambda: AT).state == "made"
    assert isinstance(take_back(session, change, WITNESS, AT, HOLDER), Done)
    assert compare(session, change.undo, lambda: AT).state == "back"
    session.close()
    assert knob.value == "60"
    assert not knob.place.exists()
    assert until(lambda: not lives(sleeper))
