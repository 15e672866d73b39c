from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from memrunbook.core.host import HostIdentity
from memrunbook.state.approvals import approvals_file
from memrunbook.state.waiting import Declined, decline, declined, forget, plan_path, waiting, withdraw_others


def kept(state: Path, text: str = "{}", host: str = "web/1", schedule: str = "night") -> Path:
    path = plan_path(state, schedule, host)
    path.write_text(text)
    withdraw_others(state, path, host)
    return path


def test_a_newer_plan_lies_where_the_older_one_did_and_beside_one_that_was_approved(tmp_path: Path) -> None:
    old, other, longer = kept(tmp_path), kept(tmp_path, host="web/2"), kept(tmp_path, schedule="night-two")
    assert kept(tmp_path, "newer") == old
    approvals_file(old).write_text("")
    beside = kept(tmp_path, "beside")
    assert kept(tmp_path, "newest") == beside != old
    assert set(waiting(tmp_path)) == {old, beside, other, longer}
    assert (old.read_text(), beside.read_text()) == ("newer", "newest")


def test_a_plan_that_an_earlier_version_named_by_its_time_is_let_go(tmp_path: Path) -> None:
    first = kept(tmp_path)
    dated = first.with_name("night@20261129T000000Z@web%2F1.json")
    first.rename(dated)
    assert waiting(tmp_path) == [dated]
    assert [kept(tmp_path)] == waiting(tmp_path)


@pytest.mark.parametrize("known", ["machine_id", "host_key", "address"])
def test_two_machines_of_one_name_keep_a_plan_each(tmp_path: Path, known: str) -> None:
    def keep(machine: str) -> Path:
        identity = HostIdentity(**{known: machine})
        path = plan_path(tmp_path, "alert:thrash", "db7", identity)
        path.write_bytes(msgspec.json.encode({"plans": [{"host": "db7", "identity": identity}]}))
        withdraw_others(tmp_path, path, "db7")
        return path

    first, second = keep("a"), keep("b")
    assert first.name == "alert:thrash@db7.json", "what waits already is called so"
    assert first != second
    assert [keep("a"), keep("b"), keep("a")] == [first, second, first]
    assert set(waiting(tmp_path)) == {first, second}
    approvals_file(first).write_text("")
    third = keep("a")
    assert set(waiting(tmp_path)) == {first, second, third}
    approvals_file(first).unlink()
    assert keep("a") == first
    assert set(waiting(tmp_path)) == {first, second}, "its own older one is let go, not that of the other"


@pytest.mark.parametrize("torn", ["{", "{}", '{"plans": []}', '{"plans": [{"identity": 7}]}'])
def test_a_plan_of_nobody_knows_whom_is_replaced(tmp_path: Path, torn: str) -> None:
    path = plan_path(tmp_path, "night", "db7")
    path.write_text(torn)
    assert plan_path(tmp_path, "night", "db7", HostIdentity(machine_id="a")) == path


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


def test_what_was_kept_long_ago_is_let_go_unless_somebody_approved_it(tmp_path: Path) -> None:
    old, approved, fresh, other = (kept(tmp_path, schedule=name) for name in ("mcp:a-1", "mcp:a-2", "mcp:a-3", "night"))
    approvals_file(approved).write_text("")
    for path in (old, approved, other):
        os.utime(path, (1000.0, 1000.0))
    forget(tmp_path, "mcp:", 2000.0)
    assert set(waiting(tmp_path)) == {approved, fresh, other}
