"""The disk of the journal fills in the middle of a run, at any write: exit 6, whatever had been done by then."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.console import Ran, here
from tests.cli.killing import effects, four_steps

from memrunbook.app.reporting import list_runs
from memrunbook.state import disk

pytestmark = pytest.mark.usefixtures("machine")


class Full:
    """The module `os` for whoever writes journals alone: shells are written to as before."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, file: int, content: bytes) -> int:
        self.left -= 1
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(file, content)


def full_from(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """From its write number `at` on (from 1) the disk takes nothing any more."""
    monkeypatch.setattr(disk, "os", Full(at))


def run(folder: Path) -> Ran:
    return here("run", four_steps(folder), "--host", "local", "--yes")


@pytest.mark.parametrize("at", [1, 3, 7, 14, 20, 46])
def test_a_disk_that_fills_at_any_write_is_exit_code_6(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    with monkeypatch.context() as patched:
        full_from(patched, at)
        ran = run(tmp_path)
    ran.refused(6, "no space left on device", hint="free space there")
    assert all(count == 1 for count in effects(tmp_path).values())
    known = list_runs(state)
    if known.runs and known.runs[0].invoked:
        assert f"runbook resume {known.runs[0].run_id}" in ran.said
    if known.open:
        assert known.open[0].told in ran.said, "what was under way is named"
    if known.runs and known.runs[0].invoked:
        here("resume", "last", "--yes")
        assert list_runs(state).runs[0].state == "ended"
        assert set(effects(tmp_path).values()) <= {1}
    elif known.runs:  # the disk was full before anything was known of it: the next one is the first
        assert effects(tmp_path) == {}
        assert "Steps: 4 done" in run(tmp_path).out
        assert set(effects(tmp_path).values()) == {1}


def test_a_plan_that_cannot_be_saved_is_no_usage_error(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if path.name.startswith(".") and path.suffix == ".new":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    ran = here("run", four_steps(tmp_path), "--host", "local")
    ran.refused(6, "the plan cannot be written", hint="free space")
    assert list_runs(state).runs[0].state == "ended"
