"""Left before the end: whoever leaves knows what may be unfinished, how far each host came, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from tests.golden import samples as s
from tests.unit.state.conftest import INVOKED, NOW, RUN_ID

from memrunbook.app.leaving import left_at_once, not_written
from memrunbook.core.errors import JournalError
from memrunbook.core.run.event import Event, RunFinished
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.record import Recorded, plain
from memrunbook.state.run_directory import RunDirectory

HOSTS = ("ended", "between", "idle")
UNDER_WAY = OpenStep(
    run=RUN_ID, runbook="small", host="between", step="restart-hog", action="restart_unit", target="hog.service",
    summary="Restart hog.service", started="2026-11-22T09:41:30.000Z", record="ab" * 32,
)  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A run is under way: one host has ended, one is between two steps, on one nothing was done."""
    state = tmp_path / "state"
    told: dict[str, list[Event]] = {
        "ended": [s.finished(), RunFinished("resolved", "it is over")],
        "between": [s.finished()],
        "idle": [],
    }
    with RunDirectory.create(state, RUN_ID, lambda: NOW) as directory:
        directory.run.append(plain(structs.replace(INVOKED, hosts=HOSTS)))
        for host, events in told.items():
            for event in events:
                directory.host(host).append(plain(Recorded(event)))
            directory.host(host)
        yield state


def test_how_far_each_host_came_is_said_of_each(state: Path) -> None:
    left = left_at_once(state, RUN_ID, [])
    assert {one.host: (one.outcome, one.why, len(one.steps)) for one in left.reports} == {
        "ended": ("resolved", "it is over", 1),
        "between": ("interrupted", "it had not come to its end", 1),
        "idle": ("interrupted", "nothing was done there", 0),
    }
    assert isinstance(left, KeyboardInterrupt), "nothing on the way may take it for a mistake"


def test_what_may_be_unfinished_stands_first_and_what_to_do_last(state: Path) -> None:
    first, *rest = str(left_at_once(state, RUN_ID, [UNDER_WAY])).splitlines()
    assert first == "Left at once: what was under way may be unfinished."
    assert rest[0].startswith("  between: ")
    assert "hog.service" in rest[0]
    assert f"runbook resume {RUN_ID}" in rest[-1]
    idle = str(left_at_once(state, RUN_ID, []))
    assert idle.startswith("Left at once: no change was under way.")
    assert f"runbook resume {RUN_ID}" in idle


def test_whoever_leaves_others_to_it_is_told_whether_they_have_it(state: Path) -> None:
    placed = str(left_at_once(state, RUN_ID, [], workers=True))
    assert placed.startswith("Left at once: the workers bring what they are at to its end")
    assert f"runbook resume {RUN_ID}" in placed
    unplaced = str(left_at_once(state, RUN_ID, [], workers=False))
    assert unplaced == "Left at once: nothing had been handed to workers yet, and nothing was done.\n"


def test_what_cannot_be_read_now_is_no_reason_to_stay(tmp_path: Path) -> None:
    left = left_at_once(tmp_path / "none", RUN_ID, [UNDER_WAY])
    assert (left.run_id, left.reports) == (RUN_ID, ())
    assert "hog.service" in str(left)


def test_a_journal_that_cannot_be_written_says_what_was_under_way_and_what_to_do_then() -> None:
    told = not_written(JournalError("no space left", where="/var/lib/x", hint="free space there"), RUN_ID, [UNDER_WAY])
    assert told.message.startswith("no space left; under way on between: ")
    assert told.where == "/var/lib/x"
    assert told.hint == f"free space there; then: runbook resume {RUN_ID} (report shows how far it came)"
    assert not_written(JournalError("no space left"), RUN_ID, []).message == "no space left"
