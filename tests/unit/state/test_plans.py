"""Saved plans: nothing secret in them, and every change of them is seen."""

from __future__ import annotations

import json
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


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UsageError, match="too large"):
        load_plan(path)


def test_hosts_and_plans_belong_together(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save_plan(path, msgspec.structs.replace(SAVED, hosts=(Host("other"),)))
    with pytest.raises(Refused, match="does not belong together"):
        load_plan(path)
