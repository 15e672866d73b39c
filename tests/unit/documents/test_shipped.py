"""The shipped files are found in a checkout and in an installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import memrunbook
from memrunbook.documents.shipped import shipped

ROOT = Path(__file__).parents[3]
ASK = "from memrunbook.documents.shipped import shipped; print(*(one.name for one in shipped('runbooks').iterdir()))"


def test_a_checkout_uses_its_own_folders() -> None:
    assert shipped("runbooks") == ROOT / "runbooks"
    assert shipped("schemas") == ROOT / "schemas"


def test_an_installed_package_uses_what_it_carries(tmp_path: Path) -> None:
    installed = tmp_path / "site" / "memrunbook"
    shutil.copytree(Path(memrunbook.__file__).parent, installed, ignore=shutil.ignore_patterns("__pycache__"))
    (installed / "shipped" / "runbooks").mkdir(parents=True)
    (installed / "shipped" / "runbooks" / "one.yaml").write_text("name: one\n")
    path = ":".join([str(installed.parent), *(one for one in sys.path if one != str(ROOT / "src"))])
    said = subprocess.run(
        [sys.executable, "-c", ASK], check=True, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": path}
    )
    assert said.stdout.split() == ["one.yaml"]
