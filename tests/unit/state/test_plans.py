"""Saved plans: nothing secret in them, and every change of them is seen."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step

from memrunbook.core.errors import Refused, RunbookError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.state.plans import load_plan, save_plan

BOOK = runbook(step("one"), step("secret", values={"unit": "--token hunter2"}))
PLAN = make_plan(BOOK, snapshot(0.0, **at(5.0, "web", "--token hunter2")))
SAVED = SavedPlan(
    engine="0",
    creator="ada",
    runbook="lab",
    hosts=(Host("lab", user="ada", port=2222),),
    plans=(PLAN,),
    digests=(tuple(one.digest for one in PLAN.changes),),
)


def saved(folder: Path) -> Path:
    path = folder / "plan.json"
    save_plan(path, SAVED)
    return path


def test_it_comes_back_as_it_was_without_secrets(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert "hunter2" not in path.read_text()
    found = load_plan(path)
    assert found.changed is None
    assert found.saved.digests == SAVED.digests
    assert found.saved.hosts[0].typed == "ada@lab:2222"
    assert found.saved.plans[0].steps[0] == PLAN.steps[0]
    assert len(PLAN.changes) == 2, "the one with a secret is among them"
    assert found.outdated(Instant(PLAN.taken_at.utc, 0.0)) is None


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [found for key, entry in pairs for found in leaves(entry, (*path, key))]
    return [path]


def test_whatever_is_changed_in_the_file_is_seen(tmp_path: Path) -> None:
    path = saved(tmp_path)
    text = path.read_text()
    unseen = []
    for place in leaves(json.loads(text)):
        data = json.loads(text)
        inside = data
        for key in place[:-1]:
            inside = inside[key]
        old = inside[place[-1]]
        inside[place[-1]] = old + 1 if isinstance(old, int | float) and not isinstance(old, bool) else f"{old}x"
        path.write_text(json.dumps(data))
        with suppress(RunbookError):
            if load_plan(path).changed is None:
                unseen.append(place)
    assert unseen == []


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        save_plan(tmp_path, SAVED)


def test_no_link_is_followed_and_nothing_but_a_file_is_replaced(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.write_text("kept")
    open_to_all.chmod(0o644)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(open_to_all)
    os.mkfifo(pipe)
    for path, why in ((link, "a link is there"), (pipe, "is no file"), (tmp_path, "is no file")):
        with pytest.raises(UsageError, match=why):
            save_plan(path, SAVED)
    assert (open_to_all.read_text(), link.is_symlink(), pipe.is_fifo()) == ("kept", True, True)


def test_an_earlier_plan_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    path.chmod(0o644)
    before = path.read_bytes()
    later = msgspec.structs.replace(SAVED, creator="bob")

    def full(file: int, content: bytes) -> int:
        del file, content
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(UsageError, match="cannot be written: No space left on device"):
            save_plan(path, later)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]
    save_plan(path, later)
    assert load_plan(path).saved.creator == "bob"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_a_plan_is_not_put_beside_the_approvals_of_another(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    (tmp_path / "plan.json.approvals").symlink_to("nowhere")
    with pytest.raises(UsageError, match="approvals of an earlier plan lie there"):
        save_plan(path, SAVED)
    assert not path.exists()


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UsageError, match="larger than 64 MiB"):
        load_plan(path)


def test_hosts_and_plans_belong_together(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save_plan(path, msgspec.structs.replace(SAVED, hosts=(Host("other"),)))
    with pytest.raises(Refused, match="does not belong together"):
        load_plan(path)
