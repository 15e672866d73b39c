"""What is said of a store, and of the nodes that work for others by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.state.conftest import NOW, Opened

from memrunbook.runtime.inspection import Inspection
from memrunbook.state.store.checkup import inspect_store
from memrunbook.state.store.parts import WorkerParts

AT = NOW.utc


def looked(state: Path, place: str, now: float = AT) -> list[Inspection]:
    return list(inspect_store(state, place, "", now))


def beat(opened: Opened, worker: str, at: float, *, sites: str = "uk", stopped: bool = False) -> None:
    """A worker, which is named by its node, a # and its number, is heard of."""
    WorkerParts(opened(), worker, worker.partition("#")[0]).beat(sites.split(), 20, at, stopped=stopped)


def test_of_one_that_answers_and_has_no_workers_that_is_all(opened: Opened, place: str, tmp_path: Path) -> None:
    store = opened()
    [found] = looked(tmp_path, place)
    assert (found.name, found.state) == ("store", "ok")
    assert found.said == f"{store.name} answers, its tables are of this version"


def test_each_worker_that_is_there_is_named(opened: Opened, place: str, tmp_path: Path) -> None:
    beat(opened, "node-uk", AT - 2, sites="uk fra-1")
    beat(opened, "node-fra", AT - 1)
    beat(opened, "node-fra#2", AT - 9)
    _, *workers = looked(tmp_path, place)
    assert {one.state for one in workers} == {"ok"}
    assert [one.said for one in workers] == [
        "node-fra, site uk, 20 hosts at once",
        "node-fra, site uk, 20 hosts at once",
        "node-uk, sites uk, fra-1, 20 hosts at once",
    ]


def test_a_node_that_is_silent_is_missing_and_how_it_is_looked_at(opened: Opened, place: str, tmp_path: Path) -> None:
    beat(opened, "node-uk", AT - 7200)
    beat(opened, "node-uk#2", AT - 9000)
    _, found = looked(tmp_path, place)
    assert (found.name, found.state) == ("worker", "missing")
    assert found.said == "node-uk, site uk: not heard of for 2 h"
    assert found.remedy == "there: systemctl status runbook-worker, or: runbook worker --site uk"


def test_where_others_take_its_hosts_a_silent_one_is_only_noted(opened: Opened, place: str, tmp_path: Path) -> None:
    beat(opened, "node-fra", AT - 1, sites="uk fra-1")
    beat(opened, "node-uk", AT - 7200)
    *_, found = looked(tmp_path, place)
    assert (found.state, found.remedy) == ("note", "")
    assert found.said == "node-uk, site uk: not heard of for 2 h; others take its hosts"


@pytest.mark.parametrize("again", ["stopped", "begun again"])
def test_one_that_said_goodbye_or_was_killed_and_begun_again_is_not(
    opened: Opened, place: str, tmp_path: Path, again: str
) -> None:
    beat(opened, "node-uk#killed", AT - 7200)
    beat(opened, "node-uk#next", AT - 1, stopped=again == "stopped")
    assert [one.state for one in looked(tmp_path, place)] == (["ok"] if again == "stopped" else ["ok", "ok"])
