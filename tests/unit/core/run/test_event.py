"""Events survive the journal as they are."""

from __future__ import annotations

import msgspec
import pytest

from memrunbook.core.run.event import Event, LockBroken, LookedAt, Outdated, RunFinished, StepFinished, StillHeld


@pytest.mark.parametrize(
    "event",
    [
        StepFinished(id="a", name="A", action="adjust", item="web", state="undone", why="w", seconds=1.5, open=True),
        StillHeld(("web is frozen",)),
        Outdated("the plan has expired", "until noon", "one"),
        LockBroken("R2 you", "killed"),
        RunFinished("improved", "why", {"memory.available_bytes": 5, "x": None}, "hint"),
    ],
)
def test_an_event_comes_back_from_json(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_a_step_that_an_older_version_wrote_is_read() -> None:
    old = b'{"type":"step-finished","id":"a","name":"A","action":"adjust","state":"done","before":{"x":1}}'
    event = msgspec.json.decode(old, type=StepFinished)
    assert (event.before, event.after, event.effect) == ({"x": 1}, {}, "")


def test_an_outcome_that_does_not_exist_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"type":"run-finished","outcome":"fine"}', type=RunFinished)


def test_every_event_says_what_happened() -> None:
    step = StepFinished(id="a", name="A", action="adjust", item="web", state="failed", why="it broke")
    assert step.told == "a/web: failed: it broke"
    assert StepFinished(id="a", name="A", action="adjust", state="done").told == "a: done"
    assert LockBroken("R2 ada@ctl-1", "stale").told == "took over the lock of run R2 by ada@ctl-1: its shell was gone"
    assert LockBroken("R2", "killed").told.endswith("run R2: its shell was ended; a command of it may live on")
    assert RunFinished("improved", "no step is left").told == "improved: no step is left"
    assert RunFinished("healthy").told == "healthy"
    assert Outdated("it has expired", "until noon", "one").told == "it has expired: approved: until noon; now: one"


def test_a_look_says_what_was_found_of_what() -> None:
    look = LookedAt(run="R1", step="act", action="adjust", target="web", summary="Adjust web",
                    started="2026-11-29T03:12:07.000Z", record="h", found="done", why="its mark says so")  # fmt: skip
    assert look.told == "looked at act of run R1 (Adjust web, started 03:12:07 UTC): done: its mark says so"
    again = msgspec.structs.replace(look, found="again", why="")
    assert again.told.endswith("UTC): unknown, and let happen again")
    assert again.settled
    assert not msgspec.structs.replace(look, found="unknown").settled
