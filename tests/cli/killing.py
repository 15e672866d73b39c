"""Kills or stops the engine at one of its writes; and a runbook of once-only steps whose effects can be counted."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.cli.books import act, book

import memrunbook.app.resuming
import memrunbook.cli.commands.run
import memrunbook.cli.narration
import memrunbook.transports.local
import memrunbook.transports.ssh
from memrunbook.app.reporting import list_runs
from memrunbook.cli.main import main
from memrunbook.state import disk

NAMES = ("one", "two", "three", "four")
Where = Literal["after", "before", "torn"]
KILLED = -signal.SIGKILL
FIRST = 3
"""The writes before the first record of a host: the run's entry in the ledger, its invocation, the host's entry."""
LOADED = (
    memrunbook.app.resuming,
    memrunbook.cli.commands.run,
    memrunbook.cli.narration,
    memrunbook.transports.local,
    memrunbook.transports.ssh,
)
"""Once here, and not in every process that is killed."""


def killed(words: list[str], at: int, where: Where) -> int:
    """Runs the command in a process that dies at its write number `at` (from 1); its exit code.

    `after`: that write is on the disk; `before`: it is not; `torn`: half of it is.
    """
    return _in_a_child(words, lambda: _die_at(at, where))


def stopped(words: list[str], at: int) -> int:
    """Runs the command in a process that gets a Ctrl-C when its question number `at` (from 1) is on the disk; its code.

    Between two questions nobody looks whether somebody wants it to stop.
    """
    return _in_a_child(words, lambda: _interrupted_at(at))


def _in_a_child(words: list[str], prepare: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            prepare()
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

    def append(file: int, path: Path, content: bytes, *, durable: bool = True) -> None:
        nonlocal seen
        seen += 1
        if seen == at and where == "torn":
            os.write(file, content[: len(content) // 2])
        if seen == at and where != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        whole(file, path, content, durable=durable)
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    disk.append = append


def _interrupted_at(at: int) -> None:
    whole, seen = disk.append, 0

    def append(file: int, path: Path, content: bytes, *, durable: bool = True) -> None:
        nonlocal seen
        is_question = b'"event":"asked"' in content
        seen += is_question
        whole(file, path, content, durable=durable)
        if is_question and seen == at:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the handler runs in the main thread

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


def left_on_host(state: Path) -> list[Path]:
    """Marks and locks of the runs of a state directory that are still on this machine."""
    runs = [run.run_id for run in list_runs(state).runs]
    marks = [Path(f"/run/memrunbook-{run}.started") for run in runs]
    lock = Path("/run/memrunbook.lock")
    held = [lock] if lock.exists() and lock.read_text().split(" ")[0] in runs else []
    return [*held, *(mark for mark in marks if mark.exists())]


def writes(state: Path, event: str, host: str = "local") -> list[int]:
    """The numbers of the writes that are this event of a command in the newest run: "asked" or "answered"."""
    run = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    lines = (run / f"{host}.jsonl").read_text().splitlines()
    asked = [n for n, line in enumerate(lines) if '"event":"asked"' in line and '"type":"Execute"' in line]
    sealed = range(0, 2 * len(asked), 2)  # each command is in the ledger too, before and after
    return [FIRST + n + before + (1 if event == "asked" else 3) for n, before in zip(asked, sealed, strict=True)]


def commands_asked(state: Path, host: str = "local") -> list[int]:
    """The numbers (from 1) of the questions of the newest run that are commands."""
    run = max((state / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    asked = [line for line in (run / f"{host}.jsonl").read_text().splitlines() if '"event":"asked"' in line]
    return [n for n, line in enumerate(asked, 1) if '"type":"Execute"' in line]


def gone(run: str, seconds: float = 20) -> None:
    """Waits until the shell of a run that was killed has ended on this machine."""
    lock, deadline = Path("/run/memrunbook.lock"), time.monotonic() + seconds
    while lock.exists() and lock.read_text().startswith(f"{run} ") and _lives(lock.read_text().split()[-2]):
        assert time.monotonic() < deadline, "its shell lives on"
        time.sleep(0.02)


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
