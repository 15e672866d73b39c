"""What the wheel holds: the runbooks and schemas too, and nothing else that is not the package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.cli.console import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not importlib.util.find_spec("hatchling"), reason="hatchling is not installed here")
def test_the_wheel_holds_runbooks_and_schemas(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for part in ("src", "runbooks", "schemas", "share"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(words, check=True, cwd=source, capture_output=True, timeout=100)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for part in ("runbooks", "schemas"):
        packed = {name.rpartition("/")[2] for name in names if name.startswith(f"memrunbook/shipped/{part}/")}
        assert packed == {path.name for path in (ROOT / part).iterdir()}
    assert "memrunbook/shipped/share/prometheus/rules.yaml" in names
    assert "memrunbook/cli/commands/run.py" in names
    assert all(name.split("/")[0] == "memrunbook" or ".dist-info/" in name for name in names)
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    code = "from memrunbook.cli.main import main; main(['show', 'oom-event'])"
    path = os.pathsep.join(
        [str(installed), *(part for part in sys.path if part and Path(part) not in (ROOT, ROOT / "src"))]
    )
    words = [sys.executable, "-c", code]
    shown = subprocess.run(words, check=True, capture_output=True, text=True, env={"PYTHONPATH": path})
    assert shown.stdout.startswith("OOM event")
    assert "shipped" in shown.stdout
