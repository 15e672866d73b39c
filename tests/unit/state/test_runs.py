"""Runs are listed and read back, whatever became of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs
from tests.unit.state.conftest import ENDED, INVOKED, RUN_ID

from memrunbook.core.errors import UsageError
from memrunbook.core.instant import Instant
from memrunbook.core.run.record import Ended, EndedHost, Temporary
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import Run, records, running, runs, still_changed


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


def test_what_was_changed_for_a_while_is_known_until_an_undo_took_it_back() -> None:
    held = (Temporary("less", "vm.swappiness 60 -> 10", 5.0), Temporary("thp", "THP", 7.0))
    ended = Ended(time="", hosts=(EndedHost("web", "resolved", temporary=held),))
    run = Run("R", Path("R"), "ended", ("web",), INVOKED, ended)
    going_on = Run("S", Path("S"), "running", ("web",), INVOKED)
    assert still_changed([run, going_on]) == {"R": {"web: vm.swappiness 60 -> 10": 5.0, "web: THP": 7.0}}

    def undo(of: str, host: str) -> Run:
        back = Ended(time="", hosts=(EndedHost(host, "restored", undone=("less",)),))
        return Run("U", Path("U"), "ended", (host,), structs.replace(INVOKED, runbook=f"undo of {of}"), back)

    assert still_changed([undo("R", "web"), run]) == {"R": {"web: THP": 7.0}}
    for other in (undo("Q", "web"), undo("R", "db")):
        assert len(still_changed([other, run])["R"]) == 2
