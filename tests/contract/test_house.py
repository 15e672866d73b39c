"""Who does what in the house, beyond who may import whom."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "memrunbook"
COMMANDS = sorted((SOURCE / "cli" / "commands").glob("[!_]*.py"))
USE_CASES = sorted((SOURCE / "app").glob("*.py"))


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_names_its_arguments_and_reads_no_command_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.args.kwarg is None, f"{node.name} takes whatever comes"
    assert "sys.argv" not in text
    assert "format_name" not in text
    assert "json" not in re.sub(r"json_|\"\"\".*?\"\"\"", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", USE_CASES, ids=lambda path: path.stem)
def test_a_use_case_prints_nothing(path: Path) -> None:
    found = set(calls(path))
    assert not {call for call in found if call == "print" or call.startswith(("sys.stdout", "sys.stderr", "click."))}


def test_terminals_are_steered_by_the_user_interface_alone() -> None:
    steering = re.compile(r"\\x1b|\\033|\\e\[")
    found = [path for path in SOURCE.rglob("*.py") if steering.search(path.read_text(encoding="utf-8"))]
    outside = {str(path.relative_to(SOURCE)) for path in found if path.relative_to(SOURCE).parts[0] != "ui"}
    assert {path for path in outside if not path.startswith("linux/")} == set()  # logs are read that hold colours


NAP = '''
class Nap(Ask[Waited], frozen=True, tag=True):
    """Sleep on it."""


Request = Nap | '''


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_request_that_somebody_forgot_is_a_type_error(tmp_path: Path) -> None:
    package = tmp_path / "src" / "memrunbook"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    request = package / "core" / "run" / "request.py"
    text = request.read_text(encoding="utf-8")
    assert text.count("\nRequest = ") == 1
    request.write_text(text.replace("\nRequest = ", NAP), encoding="utf-8")
    answering = [package / "runtime" / "interpret.py", package / "ui" / "progress.py"]
    words = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--cache-dir", str(tmp_path / "cache"),
             "--explicit-package-bases", "--namespace-packages", *map(str, answering)]  # fmt: skip
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(tmp_path / "src")}
    )
    for path in answering:
        [said] = [line for line in done.stdout.splitlines() if path.name in line and "assert_never" in line]
        assert "Nap" in said
