"""Tests that needed a second try are the last lines; more than two are a failure."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from tests.kernel.concerns import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("pytest_rerunfailures"), reason="it is not installed here"),
]
TESTS = """
import pathlib, pytest
@pytest.mark.parametrize("number", range(5))
def test_it(number):
    mark = pathlib.Path(__file__).with_name(f"tried-{number}")
    again, _ = mark.exists(), mark.touch()
    assert number >= FLAKY or again, "stood still"
"""


def run(folder: Path, flaky: int, words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TESTS.replace("FLAKY", str(flaky)), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.reruns", "-p", "no:hypothesispytest", "--reruns=1"]
    command += ["-c", str(folder / "pytest.ini"), words, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize(("flaky", "status", "words"), [(0, 0, "-n0"), (2, 0, "-n2"), (3, 1, "-n2")])
def test_two_may_be_tried_twice(tmp_path: Path, flaky: int, status: int, words: str) -> None:
    ran = run(tmp_path, flaky, words)
    assert ran.returncode == status, ran.stdout + ran.stderr
    told = [line for line in ran.stdout.splitlines() if line.startswith("tried twice: ")]
    last = ran.stdout.splitlines()[-len(told) - status :] if told else []
    assert sorted(told) == [line for line in sorted(last) if line.startswith("tried twice: ")]
    assert len(told) == flaky
    assert all("stood still" in line for line in told)
    assert (last[-1:] == ["FAILED: 3 tests were tried twice, 2 may be"]) is bool(status)
    assert "5 passed" in ran.stdout
