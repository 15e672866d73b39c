"""Ctrl-C at every question of a run, and the run gone on with: each once-only effect happens once, and all is true."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.cli.console import here
from tests.cli.killing import NAMES, commands_asked, effects, four_steps, left_on_host, stopped

from memrunbook.app.reporting import list_runs, report

pytestmark = [
    pytest.mark.usefixtures("machine"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the marks of root are where this test looks"),
]
ONCE = dict.fromkeys(NAMES, 1)
STOPPED = 130


def begin(folder: Path, at: int) -> int:
    """The exit code of a run of four steps with a Ctrl-C at its question number `at`."""
    folder.mkdir(exist_ok=True)
    path = Path(four_steps(folder))  # a name of its own: runs of one runbook that do not help stop that one
    path.write_text(path.read_text().replace("name: small", f"name: small-{folder.name}"))
    return stopped(["run", str(path), "--host", "local", "--yes"], at)


@pytest.mark.timeout(400)
def test_stopped_at_every_question_and_gone_on_with_each_effect_happens_once(tmp_path: Path, state: Path) -> None:
    cut, unproven, at = 0, 0, 1
    while (code := begin(tmp_path / f"{at}", at)) == STOPPED:
        run = list_runs(state).runs[0]
        done = effects(tmp_path / f"{at}")
        assert run.state == "ended"
        [told] = report(state, run.run_id).reports
        assert told.outcome in ("interrupted", "not_begun")
        left = {step.id for step in told.steps if step.state == "interrupted" and step.left}
        assert set(done) == {step.id for step in told.steps if step.state == "done"} | left
        assert {one.step for one in list_runs(state).open} == left
        unproven += len(left)
        resumed = here("resume", "last", "--yes")
        assert resumed.code == 3, resumed.said
        assert effects(tmp_path / f"{at}") == ONCE, (at, done)
        [told] = report(state, run.run_id).reports
        assert [(step.id, step.state) for step in told.steps] == [(name, "done") for name in NAMES]
        assert list_runs(state).open == ()
        cut, at = cut + 1, at + 1
    assert code == 3, "nothing is asked behind the last question"
    assert cut > 12
    assert unproven >= 4
    assert not left_on_host(state)
    assert here("audit", "verify").code == 0


def test_what_was_carried_out_and_not_proven_is_seen_by_everybody_and_not_repeated(tmp_path: Path, state: Path) -> None:
    begin(tmp_path / "whole", 10_000)
    assert begin(tmp_path / "cut", commands_asked(state)[1] + 1) == STOPPED
    run = list_runs(state).runs[0].run_id
    assert effects(tmp_path / "cut") == {"one": 1, "two": 1}
    listed = here("runs")
    assert listed.code == 7
    assert "carried out, not proven" in " ".join(listed.out.split())
    assert f"runbook resume {run}" in listed.out
    shown = here("report", run)
    assert shown.code == STOPPED
    assert f"Go on    runbook resume {run}" in shown.out
    words = ["run", str(tmp_path / "cut" / "small.yaml"), "--host", "local", "--yes"]
    again = here(*words)
    assert f"run {run} has carried it out, started " in again.out
    assert effects(tmp_path / "cut")["two"] == 1
    assert here("runs").code == 0, "that run has found out how it ended"
    assert here("resume", run, "--yes").code == 3
    assert effects(tmp_path / "cut")["two"] == 1
    here("resume", run).refused(5, f"run {run} has ended (local unresolved)", hint="runbook report")


def test_last_is_the_newest_that_can_be_gone_on_with(tmp_path: Path, state: Path) -> None:
    begin(tmp_path / "whole", 10_000)
    at = commands_asked(state)[1]
    assert begin(tmp_path / "cut", at) == STOPPED
    run = list_runs(state).runs[0].run_id
    begin(tmp_path / "newer", 10_000)
    resumed = here("resume", "last", "--yes")
    assert f"going on with run {run}" in resumed.err
    assert effects(tmp_path / "cut") == ONCE
    newest = list_runs(state).runs[0].run_id
    here("resume", "last").refused(5, f"run {newest} has ended", hint="runbook report")
