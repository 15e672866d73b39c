"""What runs left open, read from their journals, until somebody has found out how it ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.core.run.test_flight import LOOK, answered, asked, finished
from tests.unit.state.conftest import INVOKED

from memrunbook.core.instant import Instant
from memrunbook.core.run.cut_off import UNPROVEN
from memrunbook.core.run.record import Ended, EndedHost, plain
from memrunbook.core.run.undo_plan import UNDO_OF
from memrunbook.state.left_open import in_flight, left_open
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import runs

Clock = Callable[[], Instant]
FIRST, SECOND = "20261122T094107Z-abcd", "20261122T094207Z-abcd"


def begin(state: Path, run: str, now: Clock, *records: dict[str, Any]) -> RunDirectory:
    directory = RunDirectory.create(state, run, now)
    directory.run.append(plain(INVOKED))
    for record in records:
        directory.host("web-1").append({name: value for name, value in record.items() if name != "hash"} | {"run": run})
    return directory


def end(directory: RunDirectory, outcome: Any = "unknown", settled: tuple[str, ...] = ()) -> None:
    ended = EndedHost("web-1", outcome, settled=settled)
    directory.run.append(plain(Ended(time="2026-11-22T09:42:00.000Z", hosts=(ended,))))
    directory.end()


def found(state: Path) -> list[tuple[str, str]]:
    return [(opened.run, opened.step) for opened in left_open(state)]


def looked(directory: RunDirectory, record: str, **more: Any) -> None:
    look = msgspec.structs.replace(LOOK, record=record, **more)
    directory.host("web-1").append({"event": "recorded", "record": msgspec.to_builtins(look)})


def test_there_is_nothing_open_at_first(state: Path) -> None:
    assert left_open(state) == ()


def test_a_run_that_was_cut_off_leaves_its_step_open_and_a_running_one_does_not(state: Path, now: Clock) -> None:
    directory = begin(state, FIRST, now, asked())
    assert found(state) == []
    assert [one.step for one in in_flight(runs(state)[0], "web-1").open] == ["act"]
    directory.close()
    assert found(state) == [(FIRST, "act")]


@pytest.mark.parametrize(("outcome", "expected"), [("unknown", [(FIRST, "act")]), ("failed", [])])
def test_a_run_that_has_ended_leaves_open_what_it_says(
    state: Path, now: Clock, outcome: str, expected: list[tuple[str, str]]
) -> None:
    end(begin(state, FIRST, now, asked(), finished(open=True)), outcome)
    assert found(state) == expected


def test_what_a_person_stopped_is_open_until_an_undo_has_taken_it_back(state: Path, now: Clock) -> None:
    end(begin(state, FIRST, now, asked(), answered(), finished(state="interrupted", left=True)), "interrupted")
    [opened] = left_open(state)
    assert (opened.run, opened.answer) == (FIRST, "done")
    undo = RunDirectory.create(state, SECOND, now)
    undo.run.append(plain(msgspec.structs.replace(INVOKED, runbook=f"{UNDO_OF}{FIRST}")))
    undone = EndedHost(opened.host, "restored", undone=(opened.step,))
    undo.run.append(plain(Ended(time="2026-11-22T09:43:00.000Z", hosts=(undone,))))
    undo.end()
    assert found(state) == []


def test_an_undo_that_a_person_stopped_is_repeated_not_gone_on_with(state: Path, now: Clock) -> None:
    directory = RunDirectory.create(state, FIRST, now)
    directory.run.append(plain(msgspec.structs.replace(INVOKED, runbook=f"{UNDO_OF}{SECOND}")))
    for record in (asked(), finished(state="interrupted", left=True)):
        directory.host("web-1").append({name: value for name, value in record.items() if name != "hash"})
    end(directory, "interrupted")
    assert found(state) == []


@pytest.mark.parametrize(("book", "expected"), [("lab", [(FIRST, "act")]), (f"{UNDO_OF}{SECOND}", [])])
def test_what_was_not_proven_when_the_host_was_lost_is_open_and_an_undo_is_repeated(
    state: Path, now: Clock, book: str, expected: list[tuple[str, str]]
) -> None:
    lost = finished(state="unknown", left=True, why=f"{UNPROVEN}: the connection was lost")
    directory = RunDirectory.create(state, FIRST, now)
    directory.run.append(plain(msgspec.structs.replace(INVOKED, runbook=book)))
    for record in (asked(), answered(), lost):
        directory.host("web-1").append(
            {name: value for name, value in record.items() if name != "hash"} | {"run": FIRST}
        )
    end(directory, "unreachable")
    assert found(state) == expected


def test_a_later_look_settles_it_while_its_run_runs_is_cut_off_and_has_ended(state: Path, now: Clock) -> None:
    begin(state, FIRST, now, asked()).close()
    [opened] = left_open(state)
    second = begin(state, SECOND, now)
    looked(second, opened.record, found="unknown")
    assert found(state) == [(FIRST, "act")]
    looked(second, opened.record)
    assert found(state) == []
    second.close()
    assert found(state) == []
    end(RunDirectory.reopen(state, SECOND, now), "resolved", (opened.record,))
    assert found(state) == []


def test_files_that_are_spoilt_or_gone_are_read_as_far_as_they_go(state: Path, now: Clock) -> None:
    directory = begin(state, FIRST, now, asked())
    directory.close()
    path = directory.path / "web-1.jsonl"
    path.write_bytes(b'\xff\n[1]\n{"\xe1":1}\n' + b"[" * 9999 + b"\n" + path.read_bytes() + b'{"event":"answ')
    assert found(state) == [(FIRST, "act")]
    [run] = runs(state)
    path.unlink()
    assert in_flight(run, "web-1").open == ()
    (directory.path / "run.jsonl").write_bytes(b"")
    assert found(state) == []
