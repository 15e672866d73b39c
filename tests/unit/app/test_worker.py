"""A worker brings parts to their end, hands on what it cannot, and gives up what nobody can."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.unit.app.ordered import DEADLINE, FIRST, GONE, SECOND, Ordered, order, ordered

from memrunbook.app import part_telling, working
from memrunbook.app.connectors import Connectors
from memrunbook.app.part_running import WorkerPlace
from memrunbook.app.part_telling import HANDED_ON, PartTold
from memrunbook.app.working import MOST, PartWorker, WorkerTold, worker_id
from memrunbook.core.run.placed import LOOKS, PlacedLook
from memrunbook.core.run.record import Actor
from memrunbook.documents.library import usual_library
from memrunbook.runtime.jobs import Job
from memrunbook.state.store.node_tables import PARTS
from memrunbook.state.store.parts import Superseded, WorkerParts
from memrunbook.testing import MemoryJobs

__all__ = ["order"]
Brings = Callable[[PartTold], str]


@dataclass
class Heard(WorkerTold):
    """All that a worker says, as words."""

    words: list[str] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def say(self, words: str) -> None:
        with self.more:
            self.words.append(words)
            self.more.notify_all()

    def begun(self, taken: Any) -> None:
        self.say(f"begun {taken.id} {taken.attempt}")

    def ended(self, taken: Any, outcome: str) -> None:
        self.say(f"ended {taken.id} {outcome}")

    def put_back(self, part: str, why: str) -> None:
        self.say(f"put back {part}: {why}")

    def away(self, why: str) -> None:
        self.say(f"away: {why}")

    def until(self, words: str) -> None:
        with self.more:
            assert self.more.wait_for(lambda: words in self.words, DEADLINE), self.words


@dataclass
class Working:
    """A worker that works, and its queue."""

    worker: PartWorker
    jobs: MemoryJobs
    heard: Heard


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "learn_all", lambda: 0)
    monkeypatch.setattr(part_telling, "EVERY", 0.005)


@contextmanager
def at_work(order: Ordered, folder: Path, patch: pytest.MonkeyPatch, brings: Brings, *jobs: Job) -> Iterator[Working]:
    """A worker that brings each part to its end by `brings`; it has stopped afterwards."""
    patch.setattr(working, "bring_to_its_end", lambda _taken, _run, told, _place: brings(told))
    patch.setattr(working, "look_at", lambda _taken, _look, told, _place: f"looked, {brings(told)}")
    queue, heard = MemoryJobs(waits=lambda _: 3600.0), Heard()
    queue.defer(jobs or [Job(part=FIRST, site="default")])
    place = WorkerPlace(
        node="node-1", library=usual_library(), state=folder / "node-1", store="", connectors=Connectors(forks=2)
    )
    worker = PartWorker(
        place=place, sites=("default",), parts=order.worker(), jobs=queue, told=heard, stop=threading.Event()
    )
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield Working(worker, queue, heard)
    finally:
        worker.stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def resolved(told: PartTold) -> str:
    told.end("resolved", b"")
    return "resolved"


def test_a_part_is_begun_once_and_brought_to_its_end(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [Job(part=part, site="default") for part in (FIRST, SECOND)]
    with at_work(order, tmp_path, monkeypatch, resolved, *jobs) as made:
        made.heard.until(f"ended {FIRST} resolved")
        made.heard.until(f"ended {SECOND} resolved")
    assert sorted(made.heard.words)[:2] == [f"begun {FIRST} 1", f"begun {SECOND} 1"]
    assert (order.seen().state, order.seen(SECOND).outcome, made.jobs.kept) == ("ended", "resolved", {})


def test_it_says_that_it_is_there_and_goodbye(order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def there(told: PartTold) -> str:
        assert [(one.sites, one.forks, one.stopped) for one in order.orders.workers()] == [(("default",), 2, False)]
        return resolved(told)

    with at_work(order, tmp_path, monkeypatch, there) as made:
        made.heard.until(f"ended {FIRST} resolved")
    assert [one.stopped for one in order.orders.workers()] == [True]


def test_hosts_that_are_only_read_have_a_queue_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [Job(part=FIRST, site=f"{LOOKS}default"), Job(part=SECOND, site=f"{LOOKS}oslo")]
    with (
        ordered(tmp_path, PlacedLook(actor=Actor("ada"))) as order,
        at_work(order, tmp_path, monkeypatch, resolved, *jobs) as made,
    ):
        made.heard.until(f"ended {FIRST} looked, resolved")
        assert SECOND in [one.job.part for one in made.jobs.kept.values()]
        assert order.seen(SECOND).state == "waiting"


def test_a_part_that_is_over_or_was_taken_back_is_not_begun(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order.orders.stop([FIRST])
    jobs = [Job(part=part, site="default") for part in (FIRST, SECOND)]
    with at_work(order, tmp_path, monkeypatch, resolved, *jobs) as made:
        made.heard.until(f"ended {SECOND} resolved")
    assert made.heard.words == [f"begun {SECOND} 1", f"ended {SECOND} resolved"]
    assert made.jobs.kept == {}


def test_whoever_hurries_hands_on_what_is_under_way(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(told: PartTold) -> str:
        assert told.stop.wait(DEADLINE)
        assert told.stop.hands_on
        return ""

    with at_work(order, tmp_path, monkeypatch, stopped) as made:
        made.heard.until(f"begun {FIRST} 1")
        made.worker.stop.set()
        made.worker.hurry()
        made.heard.until(f"put back {FIRST}: {HANDED_ON}")
    [left] = made.jobs.kept.values()
    assert (left.begun, left.failures) == (False, 0), "it waits for the next one, and it was no failure"
    assert order.seen().state == "running"


def test_a_part_that_another_one_has_taken_over_is_let_go_of_and_its_job_kept(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def superseded(told: PartTold) -> str:
        order.begun(node="node-2")
        told.recorded({"event": "asked", "request": {"type": "Execute", "change": {"effect": "once"}}})
        raise AssertionError("it was begun all the same")

    with at_work(order, tmp_path, monkeypatch, superseded) as made:
        made.heard.until(f"put back {FIRST}: {Superseded()}")
    assert [one.job.part for one in made.jobs.kept.values()] == [FIRST], "whoever has it may have no job"
    assert (order.seen().node, order.seen().state) == ("node-2", "running")


def test_a_part_that_fails_here_is_put_back_and_waits(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: PartTold) -> str:
        raise ZeroDivisionError

    with at_work(order, tmp_path, monkeypatch, failing) as made:
        made.heard.until(f"put back {FIRST}: ZeroDivisionError")
    assert [one.failures for one in made.jobs.kept.values()] == [1]


@pytest.mark.parametrize(("attempts", "outcome"), [(MOST - 1, "resolved"), (MOST, "unknown")])
def test_a_part_that_nobody_brings_to_its_end_is_given_up(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: int, outcome: str
) -> None:
    with order.store.engine.begin() as connection:
        connection.execute(sa.update(PARTS).where(PARTS.c.id == FIRST).values(attempt=attempts, state="running"))
    with at_work(order, tmp_path, monkeypatch, resolved) as made:
        made.heard.until(f"ended {FIRST} {outcome}")
    assert (order.seen().state, order.seen().outcome) == ("ended", outcome)
    told = [msgspec.json.decode(line)["record"] for line in order.lines()]
    why = f"given up after {MOST} attempts, none of which came to its end"
    assert [(one["outcome"], one["why"]) for one in told] == ([("unknown", why)] if outcome == "unknown" else [])


def test_runs_that_were_cut_off_here_stand_in_nobodys_way(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise GONE

    monkeypatch.setattr(working, "join", away)
    with at_work(order, tmp_path, monkeypatch, resolved) as made:
        made.heard.until(f"ended {FIRST} resolved")
    assert made.heard.words[0] == f"away: {GONE}"


def test_two_workers_of_a_node_have_two_names() -> None:
    assert worker_id("node-1").startswith("node-1-")
    assert worker_id("node-1") != worker_id("node-1")


def test_a_store_that_is_away_as_it_begins_does_not_end_it(
    order: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, beats = WorkerParts.beat, list[bool]()

    def first_away(self: WorkerParts, *arguments: Any, **options: Any) -> None:
        beats.append(options.get("stopped", False))
        if len(beats) == 1:
            raise GONE
        beat(self, *arguments, **options)

    monkeypatch.setattr(WorkerParts, "beat", first_away)
    monkeypatch.setattr(working, "BEAT", 0.01)
    with at_work(order, tmp_path, monkeypatch, resolved) as made:
        made.heard.until(f"ended {FIRST} resolved")
        assert not made.worker.stop.is_set()
    assert [one.stopped for one in order.orders.workers()] == [True]
