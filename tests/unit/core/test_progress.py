"""How far a run has come."""

from __future__ import annotations

from typing import Any

from tests.properties.small import Memory, runbook, snapshot, step

from memrunbook.core.effects import ReadFacts, Record
from memrunbook.core.progress import Doing, Progress, signals

NOW = snapshot(memory=Memory(available_percent=5.0))
LATER = snapshot(9.0, memory=Memory(available_percent=6.0))


def ended(asking: Any, answer: Any = None) -> list[Any]:
    """What a piece of a run asked, each question answered the same."""
    asked = []
    try:
        asked.append(next(asking))
        while True:
            asked.append(asking.send(answer))
    except StopIteration:
        return asked


def test_a_fresh_snapshot_is_not_read_again() -> None:
    progress = Progress(runbook(step()), NOW)
    assert ended(progress.refresh("now"), LATER) == []
    progress.fresh = False
    (asked,) = ended(progress.refresh("now"), LATER)
    assert asked == ReadFacts(("host", "memory", "pressure", "units", "vmstat"), 2, 5.0, "now")
    assert (progress.snapshot, progress.first, progress.fresh) == (LATER, NOW, True)


def test_a_record_ends_what_is_under_way() -> None:
    one = step()
    progress = Progress(runbook(one), NOW, doing=Doing(one, "web"), executed=True)
    (asked,) = ended(progress.record(one, "web", "done", why="because", seconds=2.0))
    assert isinstance(asked, Record)
    assert [asked.event] == progress.finished
    event = progress.finished[0]
    assert (event.id, event.name, event.action, event.item, event.state) == ("act", "Act", "adjust", "web", "done")
    assert (event.why, event.seconds) == ("because", 2.0)
    assert progress.doing is None
    assert not progress.executed


def test_the_first_reason_to_stop_stays() -> None:
    progress = Progress(runbook(step()), NOW)
    progress.stop("first")
    progress.stop("second")
    assert (progress.over, progress.resolved) == ("first", False)


def test_resolved_is_a_reason_too() -> None:
    progress = Progress(runbook(step()), NOW)
    progress.resolved_by(step("cure"))
    assert (progress.over, progress.resolved) == ("resolved after step cure", True)


def test_a_signal_that_could_not_be_had_is_none() -> None:
    book = runbook(step(), signals=["memory.available_percent", "vmstat.available_percent"])
    assert signals(book, NOW) == {"memory.available_percent": 5.0, "vmstat.available_percent": None}
