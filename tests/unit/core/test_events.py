"""Events survive the journal as they are."""

from __future__ import annotations

import msgspec
import pytest

from memrunbook.core.events import Event, RunFinished, StepFinished


@pytest.mark.parametrize(
    "event",
    [
        StepFinished(id="a", name="A", action="adjust", item="web", state="undone", why="w", seconds=1.5, open=True),
        RunFinished("improved", "why", {"memory.available_bytes": 5, "x": None}, "hint"),
    ],
)
def test_an_event_comes_back_from_json(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_an_outcome_that_does_not_exist_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"type":"run-finished","outcome":"fine"}', type=RunFinished)
