from __future__ import annotations

from pathlib import Path

from memrunbook.core.schedule import Moment
from memrunbook.state.approvals import approvals_file
from memrunbook.state.waiting import Declined, decline, declined, plan_path, waiting, withdraw_older


def kept(state: Path, nominal: float, host: str = "web/1", schedule: str = "night") -> Path:
    path = plan_path(state, Moment(schedule, nominal, nominal), host)
    path.write_text("{}")
    return path


def test_the_newest_plan_of_a_schedule_for_a_host_waits_and_one_that_was_approved(tmp_path: Path) -> None:
    old, other, approved = kept(tmp_path, 0.0), kept(tmp_path, 0.0, "web/2"), kept(tmp_path, 60.0)
    longer = kept(tmp_path, 0.0, schedule="night-two")
    approvals_file(approved).write_text("")
    new = kept(tmp_path, 120.0)
    withdraw_older(tmp_path, new, "web/1")
    assert not old.exists()
    assert set(waiting(tmp_path)) == {other, approved, longer, new}


def test_plans_of_runs_wait_too_and_nothing_else_is_one(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "20261129T000000Z-abcd"
    run.mkdir(parents=True)
    (run / "plan-web.json").write_text("{}")
    (run / "run.jsonl").write_text("")
    (tmp_path / "waiting").mkdir()
    (tmp_path / "waiting" / "link.json").symlink_to("/etc/passwd")
    assert waiting(tmp_path) == [run / "plan-web.json"]


def test_what_was_declined_is_remembered_past_a_line_that_is_none(tmp_path: Path) -> None:
    assert declined(tmp_path) == frozenset()
    decline(tmp_path, Declined(file="f", digest="d1", who="ada", time="t", why="no"))
    with (tmp_path / "declined.jsonl").open("a") as file:
        file.write("torn\n")
    decline(tmp_path, Declined(file="f", digest="d2", who="ada", time="t"))
    assert declined(tmp_path) == {"d1", "d2"}
