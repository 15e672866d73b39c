"""Runs are listed and read back, whatever became of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.state.conftest import ENDED, INVOKED, RUN_ID

from memrunbook.core.errors import UsageError
from memrunbook.core.instant import Instant
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import records, running, runs


def test_there_are_no_runs_at_first(state: Path) -> None:
    assert runs(state) == []


def test_a_run_is_running_then_interrupted_or_ended(
    state: Path, open_run: RunDirectory, now: Callable[[], Instant]
) -> None:
    open_run.run.append({"event": "began"})
    assert [run.state for run in runs(state)] == ["running"]
    open_run.close()
    assert [run.state for run in runs(state)] == ["interrupted"]
    with RunDirectory.reopen(state, RUN_ID, now) as again:
        assert [run.state for run in runs(state)] == ["running"]
        again.end()
    assert [run.state for run in runs(state)] == ["ended"]


def test_a_run_tells_its_hosts_how_it_began_and_how_it_ended(state: Path, finished: Path) -> None:
    [run] = runs(state)
    assert (run.run_id, run.path, run.hosts) == (RUN_ID, finished, ("web-1", "web-2"))
    assert (run.invoked, run.ended) == (INVOKED, ENDED)


def test_the_newest_run_comes_first(state: Path, now: Callable[[], Instant]) -> None:
    for run_id in ("20261122T094107Z-bbbb", "20261123T094107Z-aaaa", "20261121T094107Z-cccc"):
        RunDirectory.create(state, run_id, now).close()
    (state / "runs" / "lost+found").mkdir()
    assert [run.run_id[:8] for run in runs(state)] == ["20261123", "20261122", "20261121"]


def test_of_two_runs_in_one_second_the_one_that_began_later_is_the_newer(
    state: Path, now: Callable[[], Instant]
) -> None:
    ids = ["20261122T094107Z-cccc", "20261122T094107Z-aaaa", "20261122T094107Z-bbbb"]
    for run_id in ids:
        RunDirectory.create(state, run_id, now).close()
    assert [run.run_id for run in runs(state)] == ids[::-1]


def test_records_are_read_back(state: Path, finished: Path) -> None:
    assert [record["event"] for record in records(state, RUN_ID)] == ["invoked", "ended"]
    assert [record["event"] for record in records(state, RUN_ID, "web-2")] == ["asked", "answered"]
    assert records(state, RUN_ID, "web-3") == []
    assert records(state, "20991122T094107Z-abcd") == []
    with pytest.raises(UsageError):
        records(state, "../keys")


def test_broken_files_are_read_as_far_as_they_go(state: Path, finished: Path) -> None:
    path = finished / "web-1.jsonl"
    path.write_bytes(b'\xff\n[1]\n{"\xe1":1}\n' + b"[" * 9999 + b"\n" + path.read_bytes() + b'{"event":"to')
    assert [record["event"] for record in records(state, RUN_ID, "web-1")] == ["asked", "answered"]
    (finished / "run.jsonl").write_bytes(b"")
    [run] = runs(state)
    assert (run.invoked, run.ended, run.state) == (None, None, "ended")


def test_a_run_without_its_journal_is_not_running(state: Path, finished: Path) -> None:
    (finished / "run.jsonl").unlink()
    assert not running(finished)
    assert [run.state for run in runs(state)] == ["ended"]
