"""How far a run has come."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from tests.lab.small import Memory, runbook, services, snapshot, step

from memrunbook.core.run.event import StepState
from memrunbook.core.run.progress import Doing, Progress, facts_of, kept, signals
from memrunbook.core.run.request import ReadFacts, Record

AVAILABLE = "memory.available_percent"
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
    progress.fresh = 0
    (asked,) = ended(progress.refresh("now"), LATER)
    assert asked == ReadFacts(("holds", "host", "memory", "pressure", "vmstat"), 3, 5.0, "now", alone=("holds",))
    assert (progress.snapshot, progress.first, progress.fresh) == (LATER, NOW, 3)


def test_a_step_is_read_for_where_the_newest_snapshot_lacks_what_it_needs() -> None:
    book = runbook(step())
    progress = Progress(book, NOW)
    progress.take(LATER, facts_of(progress), 3)
    assert ended(progress.refresh("how does it stand?")) == []
    (asked,) = ended(progress.refresh("the step", *book.steps), LATER)
    assert asked == ReadFacts(("holds", "host", "memory", "pressure", "units", "vmstat"), 3, 5.0, "the step")
    assert ended(progress.refresh("the step", *book.steps)) == []


def test_a_watch_is_of_all_facts_or_its_samples_would_not_go_on() -> None:
    book = runbook(step(), count=13)
    assert facts_of(Progress(book, NOW)) == book.facts
    assert facts_of(Progress(runbook(step()), NOW)) < book.facts


def test_who_had_failed_is_known_until_it_is_told_anew() -> None:
    progress = Progress(runbook(step()), snapshot(units=services("web", failed=True)))
    assert progress.failed_units == frozenset({"web"})
    progress.take(LATER, ("memory",), 2)
    assert progress.failed_units == frozenset({"web"})
    progress.take(snapshot(units=services("web")), ("units",), 2)
    assert progress.failed_units == frozenset()


@pytest.mark.parametrize(
    ("count", "acted", "executed", "asked"),
    [
        (1, False, False, 2),
        (3, False, False, 3),
        (3, True, False, 2),
        (13, False, False, 13),
        (13, True, True, 2),
        (13, True, False, 13),
    ],
)
def test_a_watch_is_read_as_at_first_but_while_a_change_is_proven(
    *, count: int, acted: bool, executed: bool, asked: int
) -> None:
    progress = Progress(runbook(step(), count=count), NOW, acted=acted, executed=executed)
    progress.fresh = 0
    (read,) = ended(progress.refresh("now"), LATER)
    assert (read.count, progress.fresh) == (asked, asked)
    assert ended(progress.refresh("again")) == []


def test_a_pair_is_not_fresh_enough_for_a_watch_when_the_change_is_proven() -> None:
    progress = Progress(runbook(step(), count=13), NOW, acted=True, executed=True)
    progress.fresh = 2
    assert ended(progress.refresh("did anything get worse?")) == []
    progress.executed = False
    (read,) = ended(progress.refresh("is it resolved?"), LATER)
    assert read.count == 13


@pytest.mark.parametrize(("count", "samples", "short"), [(13, 7, True), (13, 8, False), (7, 2, False)])
def test_a_watch_of_fewer_than_eight_samples_is_too_short(*, count: int, samples: int, short: bool) -> None:
    progress = Progress(runbook(step(), count=count), msgspec.structs.replace(NOW, samples=samples))
    assert progress.too_short is short


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
    assert (progress.ending, progress.resolved) == ("first", False)


def test_resolved_is_a_reason_too() -> None:
    progress = Progress(runbook(step()), NOW)
    progress.resolved_by(step("cure"))
    assert (progress.ending, progress.resolved) == ("resolved after step cure", True)


@pytest.mark.parametrize(
    ("states", "over"),
    [
        (("done", "undone"), "resolved after step cure"),
        (("undone",), "it ended, though step cure was taken back"),
        (("failed",), "it ended, though step cure failed"),
    ],
)
def test_what_was_taken_back_did_not_resolve_it(states: tuple[StepState, ...], over: str) -> None:
    progress = Progress(runbook(step()), NOW)
    for number, state in enumerate(states):
        ended(progress.record(step("cure"), str(number), state))
    progress.resolved_by(step("cure"))
    assert progress.ending == over


def test_a_signal_that_could_not_be_had_is_none() -> None:
    book = runbook(step(), signals=["memory.available_percent", "vmstat.available_percent"])
    assert signals(book, NOW) == {"memory.available_percent": 5.0, "vmstat.available_percent": None}


def test_what_is_kept_is_what_was_read_as_plain_data() -> None:
    book = runbook(step())
    marked = {name: msgspec.structs.replace(metric, kept=True) for name, metric in book.metrics.items()}
    keeping = dataclasses.replace(book, metrics={name: marked[name] for name in (AVAILABLE, "vmstat.supported")})
    assert kept(book, NOW) == {}
    assert kept(keeping, NOW) == {AVAILABLE: 5.0}
