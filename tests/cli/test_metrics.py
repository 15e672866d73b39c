"""Figures for Prometheus, of what runs left behind."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import here


def figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(memrunbook\S*) (\S+)$", text, re.MULTILINE)}


@pytest.mark.usefixtures("machine")
def test_a_plan_that_waits_is_counted_until_it_is_carried_out(tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, act("touch", "touch", str(tmp_path / "done"), risk="medium"))
    assert here("run", path, "--host", "local", "--no-input").code == 5
    found = figures(here("metrics").out)
    assert found['memrunbook_incident{host="local",runbook="small"}'] == 1
    assert found['memrunbook_runs_total{runbook="small",outcome="refused"}'] == 1
    assert found['memrunbook_pending_approvals{runbook="small"}'] == 1
    assert (found["memrunbook_store_up"], found["memrunbook_switched_off"]) == (1, 0)
    [plan] = state.glob("runs/*/plan-local.json")
    assert here("apply", str(plan)).code == 0
    here("off", "a test")
    later = figures(here("metrics").out)
    assert later['memrunbook_runs_total{runbook="small",outcome="resolved"}'] == 1
    assert 'memrunbook_pending_approvals{runbook="small"}' not in later
    assert later["memrunbook_switched_off"] == 1
    assert later["memrunbook_exported_timestamp_seconds"] >= found["memrunbook_exported_timestamp_seconds"]


def test_nothing_was_done_yet_and_promtool_accepts_it() -> None:
    ran = here("metrics")
    assert ran.code == 0
    assert figures(ran.out).keys() == {"memrunbook_store_up", "memrunbook_exported_timestamp_seconds"}
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here (Debian: prometheus)")
    done = subprocess.run(["promtool", "check", "metrics"], check=False, input=ran.out, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_store_that_is_damaged_is_a_figure_too(state: Path) -> None:
    state.mkdir(0o700)
    (state / "store.sqlite").write_bytes(b"no database at all" * 100)
    ran = here("metrics")
    assert ran.code == 0
    assert figures(ran.out)["memrunbook_store_up"] == 0


def test_the_textfile_is_whole_and_readable_by_the_collector(tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    folder.mkdir()
    before = os.umask(0o077)
    try:
        assert here("metrics", "--textfile", str(folder / "memrunbook.prom")).code == 0
    finally:
        os.umask(before)
    assert [path.name for path in folder.iterdir()] == ["memrunbook.prom"]
    assert stat.S_IMODE((folder / "memrunbook.prom").stat().st_mode) == 0o644
    assert "memrunbook_store_up 1" in (folder / "memrunbook.prom").read_text()
    here("metrics", "--textfile", str(tmp_path / "none" / "x.prom")).refused(2, "cannot be written", hint="folder")
