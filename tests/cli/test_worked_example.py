"""The runbook that docs/how-to/write-a-runbook.md shows, as it stands there, against a process that is too large."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.console import here

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-runbook.md"
HELD = "import time; held = bytearray(300 << 20); print(flush=True); time.sleep(600)"

needs_pkill = pytest.mark.skipif(not shutil.which("pkill"), reason="pkill (procps) is not installed here")


@pytest.fixture
def book(tmp_path: Path) -> str:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "stuck-report.yaml").write_text(shown)
    return str(tmp_path / "stuck-report.yaml")


@pytest.fixture
def report(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds 300 MiB under a name of its own."""
    name = tmp_path / f"rep-{tmp_path.name[-10:]}"
    name.symlink_to(sys.executable)
    with subprocess.Popen([str(name), "-c", HELD], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        running.stdout.readline()
        try:
            yield running
        finally:
            running.kill()


@needs_pkill
def test_it_ends_what_is_too_large_and_proves_it(book: str, report: subprocess.Popen[str]) -> None:
    name = Path(f"/proc/{report.pid}/comm").read_text().strip()
    words = [book, "--host", "local", "-p", f"process={name}", "-p", "most=200MiB"]
    assert here("validate", book).code == 0
    planned = here("plan", *words)
    assert planned.code == 0, planned.said
    assert f"pkill --exact {name}" in planned.out
    assert "Nothing was changed." in planned.out
    ran = here("run", *words, "--allow", f"run_command:pkill --exact {name}")
    assert ran.code == 0, ran.said
    assert "RESOLVED" in ran.out
    assert report.wait(10) == -15
    assert here("run", *words).code == 0, "healthy: there is nothing to do"
