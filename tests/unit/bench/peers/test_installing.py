"""Tools are installed as their lock files say; what is missing is said and never measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.peers import installing
from bench.peers.installing import PACKAGES, Python, Tool, install, interpreter


def test_without_a_newer_python_this_one_serves_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "TRIED", ())
    found = interpreter(sys.executable)
    assert found.path == sys.executable
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.lack == "Python 3.12 is missing"


def test_a_python_that_does_not_run_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, body in {"python3.14": "exit 127", "python3.12": "echo 3.12.9"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(installing, "TRIED", ("python3.14", "python3.12"))
    assert interpreter(sys.executable) == Python(str(tmp_path / "python3.12"), "3.12.9")


def test_a_tool_that_cannot_be_installed_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installing, "VENVS", tmp_path / "venvs")
    monkeypatch.setattr(installing, "LOCKS", tmp_path)
    (tmp_path / "fabric.lock").write_text("fabric==3.2.3\n")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'looking' >&2; echo 'ERROR: no ensurepip' >&2; exit 1\n")
    python.chmod(0o755)
    tool = install("fabric", Python(str(python), "3.12.9"))
    assert tool == Tool("fabric", lack="not installed: ERROR: no ensurepip")


def test_each_tool_has_its_version_in_a_lock_file() -> None:
    for name, package in PACKAGES.items():
        (wanted, *_) = (installing.LOCKS / f"{name}.in").read_text("ascii").split()
        assert wanted.startswith(f"{package}==")
        assert f"\n{wanted} " in (installing.LOCKS / f"{name}.lock").read_text("ascii")
