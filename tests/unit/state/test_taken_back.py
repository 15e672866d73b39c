"""Which steps of a run were taken back since, and by whom: an undo that was undone does not count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import structs
from tests.unit.state.conftest import INVOKED

from memrunbook.core.instant import Instant
from memrunbook.core.run.event import StepFinished, StepState
from memrunbook.core.run.record import Recorded, plain
from memrunbook.core.run.undo_plan import UNDO_OF
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.taken_back import taken_back_since

Clock = Callable[[], Instant]
RUN, UNDO, AGAIN = "20261122T094107Z-abcd", "20261122T094207Z-abcd", "20261122T094307Z-abcd"


def ran(state: Path, run: str, now: Clock, runbook: str, step_state: StepState = "done") -> None:
    directory = RunDirectory.create(state, run, now)
    directory.run.append(plain(structs.replace(INVOKED, runbook=runbook)))
    step = StepFinished(id="act", name="Act", action="set_sysctl", state=step_state)
    directory.host("web-1").append(plain(Recorded(record=step)))
    directory.close()


def test_what_an_undo_took_back_is_told_until_that_is_undone(state: Path, now: Clock) -> None:
    ran(state, RUN, now, "swap-thrashing")
    assert taken_back_since(state, RUN) == {}
    ran(state, UNDO, now, f"{UNDO_OF}{RUN}")
    assert taken_back_since(state, RUN) == {"web-1": {"act": UNDO}}
    ran(state, AGAIN, now, f"{UNDO_OF}{UNDO}")
    assert taken_back_since(state, RUN) == {}


def test_what_an_undo_failed_to_take_back_is_still_there(state: Path, now: Clock) -> None:
    ran(state, RUN, now, "swap-thrashing")
    ran(state, UNDO, now, f"{UNDO_OF}{RUN}", "failed")
    assert taken_back_since(state, RUN) == {}
