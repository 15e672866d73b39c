"""What runs have dealt with on hosts: of this node by its journals, of the others by the server that they share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from memrunbook.app import handling
from memrunbook.app.handling import handled_by_all, handled_for_looks
from memrunbook.app.stored import Stored
from memrunbook.core.errors import StoreAway
from memrunbook.state.store.changes import Store

HERE = {"oom-event": {("web-1", "m1"): 50.0, ("web-2", "m2"): 90.0}}
THERE = [("oom-event", "web-1", "m1", 70.0), ("oom-event", "web-2", "m2", 60.0), ("memory-leak", "web-3", "m3", 80.0)]


def store(dialect: str) -> Store:
    return cast("Store", SimpleNamespace(engine=SimpleNamespace(dialect=SimpleNamespace(name=dialect)), resolved=told))


def told(since: float) -> list[tuple[str, str, str, float]]:
    assert since > 0
    return THERE


@pytest.fixture(autouse=True)
def journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "handled", lambda _state, _known: {name: dict(one) for name, one in HERE.items()})


def test_the_later_of_what_is_known_here_and_there_counts(tmp_path: Path) -> None:
    assert handled_by_all(tmp_path, [], store("postgresql")) == {
        "oom-event": {("web-1", "m1"): 70.0, ("web-2", "m2"): 90.0},
        "memory-leak": {("web-3", "m3"): 80.0},
    }


def test_a_file_knows_no_more_than_the_journals_beside_it(tmp_path: Path) -> None:
    assert handled_by_all(tmp_path, [], store("sqlite")) == HERE
    assert handled_for_looks(tmp_path, [], Stored(tmp_path)) == HERE
    assert not list(tmp_path.iterdir()), "who only looks makes no store"


def test_of_a_server_that_is_away_a_look_knows_what_is_known_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_stored: Stored) -> Any:
        raise StoreAway("it is away")

    monkeypatch.setattr(Stored, "open", away)
    assert handled_for_looks(tmp_path, [], Stored(tmp_path, named="postgresql://db/runbook")) == HERE
