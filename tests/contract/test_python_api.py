"""The example of docs/reference/python-api.md runs as it stands, and the page names what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.console import ROOT, environment

from memrunbook import app

PAGE = (ROOT / "docs" / "reference" / "python-api.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_runs_as_it_stands(tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    env = environment(RUNBOOK_STATE_DIR=str(tmp_path / "state"), HOME=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=100, cwd=tmp_path, env=env
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a use case prints nothing"
    lines = done.stdout.splitlines()
    assert lines[0].startswith("local primary incident:")
    assert lines[-1].split()[0] == "local"


def test_every_use_case_is_on_the_page_and_can_be_imported() -> None:
    for name in app.__all__:
        assert callable(getattr(app, name))
        assert f"`{name}`" in PAGE, f"{name} is not described"


def test_what_is_not_there_is_not_offered() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        _ = app.nosuch
