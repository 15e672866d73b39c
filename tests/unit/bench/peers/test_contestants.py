"""Every contestant has a command for both jobs, and the runbook that is measured is a valid one."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.farm import Farm
from bench.fleet import Ground
from bench.peers.contestants import CHANGES, FLOOR, JOBS, JOBS_FOLDER, OURS, QUICK, TOOLS, entries
from bench.peers.installing import Tool

from memrunbook.documents.library import read
from memrunbook.documents.runbooks import load_runbook

PEERS = {name: Tool(name, "1.0", Path("/venvs") / name) for name in TOOLS.values()}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(Farm(tmp_path, 2222, ("127.0.1.1", "127.0.1.2"), ()), 50, tmp_path)


@pytest.mark.parametrize("job", JOBS)
def test_everybody_does_both_jobs(job: str, ground: Ground) -> None:
    found = {entry.task.what: entry for entry in entries(job, ground, 2, PEERS)}
    assert list(found) == [FLOOR, *([QUICK] if job == "diagnose" else []), OURS, *TOOLS]
    for what, entry in found.items():
        files = [Path(word) for word in entry.task.command if str(JOBS_FOLDER) in word and word.startswith("/")]
        assert all(file.exists() for file in files)
        assert entry.task.proof or what in {OURS, QUICK}


def test_who_is_not_installed_is_not_measured(ground: Ground) -> None:
    there = PEERS | {"ansible": Tool("ansible", lack="not installed: no wheel")}
    assert [entry.task.what for entry in entries("remediate", ground, 1, there)][2:] == list(TOOLS)[2:]


def test_all_change_the_same_in_the_same_order() -> None:
    runbook = load_runbook(*read("five-steps", [JOBS_FOLDER]))
    ours = [step.spec.with_ for step in runbook.steps]
    names = {
        f"/proc/sys/vm/{file}": f"vm.{file.replace('-', '_')}" for file in ("page-cluster", "watermark_boost_factor")
    }
    assert [(one["key"], one["value"]) for one in ours] == [(names[file], value) for file, value in CHANGES]
    for script in ("five-steps.sh", "ansible-remediate.yaml"):
        text = (JOBS_FOLDER / script).read_text("utf-8")
        for file, value in CHANGES:
            assert f"step {Path(file).name} {value}\n" in text or f"file={file} value={value};" in text
