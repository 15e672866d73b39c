"""What a unit is told of this command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from memrunbook.cli.schedule_pages import program


def test_a_unit_is_given_an_absolute_path_however_the_command_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "bin" / "runbook"
    there.parent.mkdir()
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/runbook"])
    assert program() == str(there)
    monkeypatch.setenv("PATH", str(there.parent))
    monkeypatch.setattr(sys, "argv", ["runbook"])
    assert program() == str(there)
