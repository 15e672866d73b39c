"""A store that is away is waited for, once told, and no longer than somebody has patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from memrunbook.app.braking import HostBrakes
from memrunbook.app.outage import AWAY, BACK, Outage
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.errors import Interrupted, JournalError, StoreAway
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Clock
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import opened
from memrunbook.state.store.switch import Switch, turn
from memrunbook.state.store.tables import CHANGES, RUNS
from memrunbook.testing import START, FixedClock

GONE = StoreAway("the store does not answer: connection refused", where="postgresql://db/x")
CHANGE = Change(
    action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM, repeat=Repeat.ONCE
)


@dataclass
class Told:
    """What a person is told, by an outage that somebody has this much patience with."""

    patience: float = 60.0
    words: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        self.outage = Outage(self.patience, lambda words, _hint: self.words.append(words))

    @property
    def waited(self) -> float:
        return self.clock.now().since(START)

    def ask(self, question: Callable[[], object]) -> object:
        return self.outage.answer(question, self.clock)


def away(times: int, answer: object = "an answer", error: JournalError = GONE) -> Callable[[], object]:
    left = [error] * times

    def question() -> object:
        if left:
            raise left.pop()
        return answer

    return question


def test_the_same_is_asked_each_second_until_there_is_an_answer() -> None:
    told = Told()
    assert told.ask(away(3)) == "an answer"
    assert told.waited == 3.0
    assert told.words == [AWAY, BACK]
    assert told.ask(away(0)) == "an answer"
    assert told.words == [AWAY, BACK]


def test_patience_ends_and_is_one_for_all_that_is_asked_in_one_outage() -> None:
    told = Told(patience=4.5)
    for waited in (4.5, 4.5):
        with pytest.raises(StoreAway, match="connection refused"):
            told.ask(away(100))
        assert told.waited == waited
    assert told.words == [AWAY]
    assert told.ask(away(0)) == "an answer"
    assert told.ask(away(2)) == "an answer", "the next outage has a patience of its own"
    assert told.words == [AWAY, BACK, AWAY, BACK]


@pytest.mark.parametrize(("patience", "error"), [(0.0, GONE), (60.0, JournalError("the store cannot be used: x"))])
def test_nobody_waits_for_a_file_nor_for_what_no_time_mends(patience: float, error: JournalError) -> None:
    told = Told(patience)
    with pytest.raises(JournalError):
        told.ask(away(1, error=error))
    assert (told.waited, told.words) == (0.0, [])


def test_whoever_asks_to_stop_waits_no_longer() -> None:
    stop = threading.Event()
    told = Told(3600.0, clock=SystemClock(stop))

    def question() -> object:
        stop.set()
        raise GONE

    with pytest.raises(Interrupted):
        told.ask(question)


def test_one_who_hears_late_of_what_another_host_knows_to_be_over_tells_nobody() -> None:
    told = Told()

    def late() -> object:
        """Asked before the other host's answer, failed after it."""
        if not told.words:
            told.ask(away(1))
            raise GONE
        return "an answer"

    asked = told.clock.now
    moments = iter([START])
    told.clock.now = lambda: next(moments, asked())  # type: ignore[method-assign]
    assert told.ask(late) == "an answer"
    assert told.words == [AWAY, BACK]


def test_what_cannot_be_remembered_is_told_and_nothing_ends() -> None:
    told = Told(patience=2.0)
    told.outage.remember("web: the end of a change", away(100), told.clock)
    assert told.waited == 2.0
    assert told.words == [AWAY, f"web: the end of a change is not remembered: {GONE.message}"]
    full = JournalError("the store cannot be read or written: no space left")
    told.outage.remember("web: the end of the run", away(1, error=full), told.clock)
    assert told.words[-1] == "web: the end of the run is not remembered: " + full.message
    told.outage.remember("web: the end of the run", away(0), told.clock)
    assert told.words[-1] == BACK


def test_whoever_stopped_is_told_what_the_store_does_not_know() -> None:
    stop = threading.Event()
    stop.set()
    told = Told(3600.0, clock=SystemClock(stop))
    told.outage.remember("web: the end of the run", away(100), told.clock)
    assert told.words == [AWAY, f"web: the end of the run is not remembered: {AWAY}"]


@dataclass
class Restarted:
    """Each transaction of a store is away twice before it begins, and once when it is written: its answer is lost."""

    engine: sa.Engine
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        sa.event.listen(self.engine, "begin", self._begins, insert=True)
        sa.event.listen(self.engine, "commit", self._ends)

    def again(self) -> None:
        self.left[:] = ["begin", "begin", "commit"]

    def _begins(self, _connection: sa.Connection) -> None:
        if self.left[:1] == ["begin"]:
            self.left.pop(0)
            raise GONE

    def _ends(self, connection: sa.Connection) -> None:
        if self.left[:1] == ["commit"]:
            self.left.pop(0)
            connection.exec_driver_sql("COMMIT")
            raise GONE


def rows(store: Store, table: sa.Table) -> list[sa.RowMapping]:
    with store.engine.connect() as connection:
        return list(connection.execute(sa.select(table)).mappings())


def test_each_question_of_a_run_waits_and_counts_once(tmp_path: Path) -> None:
    told, clock = Told(), FixedClock(Instant(1.8e9, 5.0))
    with closing(Store.open(tmp_path)) as store:
        brakes = HostBrakes(store, clock, "R1", "web", "book", "ada", outage=told.outage)
        server = Restarted(store.engine)
        asked: list[Callable[[], object]] = [
            lambda: brakes.forbids(CHANGE),
            lambda: brakes.reasons(CHANGE),
            lambda: brakes.begin(CHANGE, "restart", consented=False),
            lambda: brakes.end(1, "done"),
            lambda: brakes.ran("resolved", changed=True),
        ]
        answers = []
        for question in asked:
            server.again()
            answers.append(question())
        server.left.clear()
        assert answers == [None, (), 1, None, None]
        (row,) = rows(store, CHANGES)
        assert (row["begun"], row["ended"], row["state"]) == (1.8e9 + 4, 1.8e9 + 7, "done"), (
            "the moment at which it was asked first"
        )
        assert len(rows(store, RUNS)) == 1
    assert told.words == [AWAY, BACK] * 5


def test_a_switch_that_was_turned_in_the_outage_holds_by_when_it_is_over(tmp_path: Path) -> None:
    told, clock = Told(), FixedClock(Instant(1000.0, 5.0))
    with closing(Store(opened(sa.URL.create("sqlite", database=str(tmp_path / "s.sqlite"))))) as store:
        turn(store, Switch(True, 900.0, 1001.0, "bob", "for a moment"))
        brakes = HostBrakes(store, clock, "R1", "web", "book", "ada", outage=told.outage)
        assert brakes.forbids(CHANGE) is not None
        Restarted(store.engine).again()
        assert brakes.forbids(CHANGE) is None, "its time was over when the store answered"
