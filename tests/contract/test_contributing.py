"""CONTRIBUTING's examples, put at their places in a copy of the house, are held to what every action and fact is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"```\w*\n(.*?)```\n", re.DOTALL)
COPIED = ("docs", "pyproject.toml", "runbooks", "schemas", "src", "tests/cli/test_hosts.py",
          "tests/cli/test_oom_log_lines.py", "tests/contract/test_actions.py", "tests/contract/test_facts.py",
          "tests/facts", "tests/kernel", "tests/runbooks", "tests/unit/actions",
          "tests/unit/facts/test_processes.py", "tests/unit/linux", "tools")  # fmt: skip
SIBLINGS = {"set_page_cluster": "set_thp", "ksm": "lru_gen"}
"""The new action and fact, each with one that is there already."""


def examples() -> dict[str, str]:
    """The files that CONTRIBUTING shows: each under the last path that is named before it."""
    found = {}
    before = 0
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for fence in FENCE.finditer(text):
        path = re.findall(r"`((?:src|tests)/[\w/.-]+)`", text[before : fence.start()])[-1]
        found[path] = fence[1]
        before = fence.end()
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with the examples in it."""
    folder = tmp_path_factory.mktemp("house")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for path, text in examples().items():
        assert not (folder / path).exists(), f"{path} is there already: CONTRIBUTING needs another example"
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def run(house: Path, *arguments: str) -> str:
    """What Python prints in that house, which must end well; of our own test run it knows nothing."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=house,
        env={**ours, "PYTHONPATH": str(house / "src")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_they_pass_every_test_that_their_siblings_pass(house: Path) -> None:
    wanted = " or ".join([*SIBLINGS, *SIBLINGS.values()])
    files = ["tests/contract", "tests/facts/test_recorded.py", "tests/unit/actions/test_set_page_cluster.py"]
    said = run(house, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-k", wanted, *files)
    passed = re.findall(r"^PASSED (\S+)::(\w+)(?:\[(\S+)\])?$", said, re.MULTILINE)
    for new, sibling in SIBLINGS.items():
        theirs = {test for _, test, of in passed if of.partition("/")[0] == sibling}
        assert len(theirs) >= 8
        assert {test for _, test, of in passed if of.partition("/")[0] == new} == theirs
    assert {test for file, test, _ in passed if file == files[-1]} == set(re.findall(r"def (test_\w+)", said_by(house)))


def said_by(house: Path) -> str:
    return (house / "tests/unit/actions/test_set_page_cluster.py").read_text("utf-8")


@pytest.mark.slow
def test_their_reference_pages_are_written(house: Path) -> None:
    run(house, "-m", "tools.generate")
    actions = (house / "docs/reference/actions.md").read_text("utf-8")
    assert "## set_page_cluster\n" in actions
    assert "| value | integer | required | 2 to the power of it pages are read at once |" in actions
    metrics = (house / "docs/reference/metrics.md").read_text("utf-8")
    assert "| ksm.pages_saved | int | count | pages that need no memory of their own |" in metrics


def test_they_are_written_as_the_rest_is(house: Path) -> None:
    python = [path for path in examples() if path.endswith(".py")]
    run(house, "-m", "ruff", "check", *python)
    run(house, "-m", "ruff", "format", "--check", *python)
