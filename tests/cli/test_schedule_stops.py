"""A scheduler that is stopped, or whose firings want the same host, as a process."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book
from tests.cli.console import here
from tests.cli.test_schedule import daemon, entry, schedules, wait_for

from memrunbook.state.store import firings
from memrunbook.state.store.changes import Store

pytestmark = [pytest.mark.usefixtures("machine"), pytest.mark.slow]


def due(state: Path, *names: str) -> None:
    """A firing of each is due now."""
    state.mkdir(exist_ok=True, mode=0o700)
    time.sleep(5.2 - time.time() % 5)
    store = Store.open(state)
    firings.decide_until(store, names, time.time() - 3)
    store.close()


def found(where: str) -> dict[str, Any]:
    document = json.loads(here("schedule", "firings", "--json", where).out)
    return {
        one["schedule"]: one for one in reversed(document["firings"]) if one["state"] not in ("missed", "overlapped")
    }


def at_work(folder: Path, name: str, seconds: str = "4") -> str:
    """A runbook whose first step takes a while, and whose second stands behind it."""
    first = act("one", "sh", "-c", f"echo {name} >> {folder / 'done'}; sleep {seconds}", timeout="30s")
    return book(folder, first, act("two", "sh", "-c", f"echo {name}-2 >> {folder / 'done'}"), name=name,
                resolved="memory.total_bytes < 0")  # fmt: skip


def test_two_schedules_on_one_host_are_done_one_after_the_other(tmp_path: Path, state: Path) -> None:
    entries = [
        entry(at_work(tmp_path, name), ", mode: run", name).replace("every: 5s", "every: 1h, misfire_grace: 1m")
        for name in ("ada", "bob")
    ]
    where = schedules(tmp_path, *(one.replace("every: 1h", "every: 5s, valid_until: 2099-01-01") for one in entries))
    due(state, "ada", "bob")
    done = here("schedule", "run", "--once", where)
    ends = found(where)
    assert {name: one["state"] for name, one in ends.items()} == {"ada": "failed", "bob": "failed"}, done.said
    assert all("unresolved" in one["why"] for one in ends.values()), "its incident never ends, but all was done"
    (command, *_) = [one.partition("runbook ")[2] for one in done.err.splitlines() if "to go on: " in one]
    assert here(*command.split()).code == 0, f"{command}: with the options that it has, and no others"
    words = (tmp_path / "done").read_text().split()
    assert sorted(words) == ["ada", "ada-2", "bob", "bob-2"]
    assert words[1] == f"{words[0]}-2", "no step of one stood between two of the other"


def test_who_waits_in_vain_is_refused_and_says_by_whom(tmp_path: Path, state: Path) -> None:
    entries = [entry(at_work(tmp_path, name, "8"), ", mode: run, misfire_grace: 3s", name) for name in ("ada", "bob")]
    where = schedules(tmp_path, *entries)
    due(state, "ada", "bob")
    here("schedule", "run", "--once", where)
    (refused,) = [one for one in found(where).values() if one["state"] == "refused"]
    assert "another run is at work on the host: " in refused["why"]
    assert "schedule:" in refused["why"]
    assert "its end was waited for, 3.0 s" in refused["why"]


def test_one_that_is_stopped_ends_its_step_and_is_no_failure(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(at_work(tmp_path, "ada"), ", mode: run, pause_on_failure: 1"))
    due(state, "often")
    process = daemon(tmp_path, where)
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "done").exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
    log = (tmp_path / "log").read_text()
    assert (tmp_path / "done").read_text() == "ada\n", "what was under way ended, and nothing new was begun"
    one = found(where)["often"]
    assert one["state"] == "interrupted"
    assert one["why"].startswith("the scheduler was stopped; not done, or not to the end: local; runbook resume ")
    assert "NOTICE failed" not in log
    assert "Stopping: nothing new is begun. SIGTERM again leaves at once." in log
    assert f"waiting for the step in flight of {one['id']}" in log
    assert "Ctrl-C" not in log, "nobody sits there"
    assert f"to go on: runbook resume {one['run']}" in log
    assert f"resume {one['run']} --config-dir {tmp_path / 'conf'}" in log, (
        "with the options that it needs, and no others"
    )
    assert "a person" not in here("report", str(one["run"])).out
    store = Store.open(state)
    assert firings.kept(store)["often"].failures == 0
    store.close()


def test_a_timeout_is_a_failure_and_says_so(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(at_work(tmp_path, "ada"), ", mode: run, timeout: 2s"))
    due(state, "often")
    said = here("schedule", "run", "--once", where)
    one = found(where)["often"]
    assert one["state"] == "failed", one
    assert one["why"].startswith("the schedule's timeout of 2.0 s was over; ")
    assert "NOTICE failed: schedule often: the schedule's timeout of 2.0 s was over" in said.err
    assert wait_for(tmp_path / "done", "ada\n", 1.0) == "ada\n"
