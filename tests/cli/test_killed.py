"""The engine is killed (SIGKILL) at every record of a run, against OpenSSH's own server, and the run gone on with.

Each once-only effect happens once, whatever happened in between, and every run ends in a state that is true.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from tests.cli.books import act, book
from tests.cli.conftest import needs_login
from tests.cli.console import here
from tests.sshd import Sshd, running

import memrunbook.app.resuming
import memrunbook.cli.commands.run
import memrunbook.cli.narration
import memrunbook.transports.ssh
from memrunbook.app.reporting import list_runs, report
from memrunbook.cli.main import main
from memrunbook.state import disk

pytestmark = pytest.mark.usefixtures("machine")
NAMES = ("one", "two", "three", "four")
Where = Literal["after", "before", "torn"]
KILLED = -signal.SIGKILL
LOADED = (memrunbook.app.resuming, memrunbook.cli.commands.run, memrunbook.cli.narration, memrunbook.transports.ssh)
"""Once here, and not in every process that is killed."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needs_login()
    with running(tmp_path_factory.mktemp("host")) as server:
        yield server


def killed(words: list[str], at: int, where: Where) -> int:
    """Runs the command in a process that dies at its write number `at` (from 1); its exit code.

    `after`: that write is on the disk; `before`: it is not; `torn`: half of it is.
    """
    child = os.fork()
    if child == 0:
        try:
            _die_at(at, where)
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(1, "w")  # noqa: SIM115
            main(words)
        except SystemExit as ended:
            os._exit(int(ended.code or 0))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(at: int, where: Where) -> None:
    whole, seen = disk.append, 0

    def append(file: int, path: Path, content: bytes) -> None:
        nonlocal seen
        seen += 1
        if seen == at and where == "torn":
            os.write(file, content[: len(content) // 2])
        if seen == at and where != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        whole(file, path, content)
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    disk.append = append


def four_steps(folder: Path) -> str:
    """A runbook of four once-only steps, each of which leaves its name in a file."""
    does = [act(name, "sh", "-c", f"echo {name} >>{folder / 'effects'}") for name in NAMES]
    text = Path(book(folder, *does, resolved="memory.available_percent > 100.0"))
    text.write_text(text.read_text().replace("every: 200ms", "every: 20ms"))
    return str(text)


def effects(folder: Path) -> Counter[str]:
    file = folder / "effects"
    return Counter(file.read_text().split() if file.exists() else [])


def cut_off_and_gone_on_with(folder: Path, host: Sshd, at: int, where: Where) -> bool:
    """False where the run had ended before it could be killed; what is said of it in the end is true."""
    state = folder.parent / "state"
    folder.mkdir()
    code = killed(["run", four_steps(folder), *host.arguments, "--yes"], at, where)
    assert all(count == 1 for count in effects(folder).values())
    if code == KILLED:
        resumed = here("resume", "last", "--yes")
        assert "Traceback" not in resumed.said
        assert resumed.code in (3, 5, 7), resumed.said
    is_true(state, effects(folder))
    return code == KILLED


def is_true(state: Path, done: Counter[str]) -> None:
    """What is said of each step is what happened, and nothing is left running or interrupted."""
    run = list_runs(state).runs[0]
    assert run.state == "ended"
    for told in report(state, run.run_id).reports:
        assert told.outcome not in ("running", "interrupted")
        for step in told.steps:
            expected = {"done": [1], "failed": [1], "unknown": [0, 1]}.get(step.state, [0])
            assert done[step.id] in expected, (step, done)
            assert step.state != "unknown" or step.open
    assert all(count == 1 for count in done.values())


@pytest.mark.timeout(300)
def test_killed_at_every_record_each_effect_happens_once_and_the_end_is_true(
    tmp_path: Path, state: Path, host: Sshd
) -> None:
    at = 1
    while cut_off_and_gone_on_with(tmp_path / f"{at}", host, at, "after"):
        at += 1
    ended = list_runs(state)
    assert len(ended.runs) == at
    assert ended.open == ()
    assert at > 40
    assert not left_on_host(state)
    assert here("audit", "verify").code == 0


def left_on_host(state: Path) -> list[Path]:
    """Marks and locks of the runs of a state directory that are still on this machine."""
    runs = [run.run_id for run in list_runs(state).runs]
    marks = [Path(f"/run/memrunbook-{run}.started") for run in runs]
    lock = Path("/run/memrunbook.lock")
    held = [lock] if lock.exists() and lock.read_text().split(" ")[0] in runs else []
    return [*held, *(mark for mark in marks if mark.exists())]


def answers(state: Path) -> list[int]:
    """Which writes of a whole run are the answers to its commands: the two entries in the ledger come first."""
    [file] = state.glob("runs/*/127.0.0.1.jsonl")
    lines = file.read_text().splitlines()
    return [n for n, line in enumerate(lines) if '"event":"answered"' in line and '"Execute"' in lines[n - 1]]
