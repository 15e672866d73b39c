"""A part tells what it does before it changes anything, waits for a store that is away, and hears what is wished."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from tests.unit.app.ordered import (
    AT,
    DEADLINE,
    FIRST,
    GONE,
    SECOND,
    ActingClock,
    Ordered,
    clock,
    given,
    hear,
    order,
)

from memrunbook.app import part_telling
from memrunbook.app.part_looking import _line
from memrunbook.app.part_telling import ALONE, HANDED_ON, PartStop, PartTold, Reporter
from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import StoreAway
from memrunbook.state.store.parts import Superseded, Wished
from memrunbook.testing import START

__all__ = ["clock", "order"]
SAID = {"event": "recorded", "record": {"type": "checked"}}


def executes(effect: Repeat) -> dict[str, Any]:
    return {"event": "asked", "request": {"type": "Execute", "change": {"effect": effect.value}}}


CHANGES = executes(Repeat.ONCE)


@pytest.fixture(autouse=True)
def _clock(clock: ActingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    given(clock, monkeypatch, part_telling)


def records(order: Ordered) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in order.lines()]


@pytest.mark.parametrize("record", [SAID, executes(Repeat.READ), {**CHANGES, "event": "answered"}])
def test_what_changes_nothing_is_told_later(order: Ordered, record: dict[str, Any]) -> None:
    told = order.told()
    told.recorded(record)
    assert order.lines() == []
    told.now()
    assert records(order) == [record]


def test_a_change_is_told_before_it_begins_and_with_it_what_led_to_it(order: Ordered) -> None:
    told = order.told()
    told.recorded(SAID)
    told.recorded(CHANGES)
    assert records(order) == [SAID, CHANGES]
    told.now()
    assert records(order) == [SAID, CHANGES]
    told.recorded(CHANGES)
    assert records(order) == [SAID, CHANGES, CHANGES]


def test_a_change_of_a_part_that_another_one_has_is_not_begun(order: Ordered) -> None:
    told = order.told()
    order.begun(node="node-2")
    with pytest.raises(Superseded):
        told.recorded(CHANGES)
    assert told.stop.why == "another worker has taken over"
    assert told.stop.is_set()
    assert not told.stop.hands_on
    assert order.lines() == []


def test_a_store_that_is_away_is_waited_for_and_nothing_is_lost(order: Ordered, clock: ActingClock) -> None:
    told = order.told(order.away(GONE, GONE, GONE))
    told.recorded(SAID)
    told.recorded(CHANGES)
    assert clock.now().since(START) == 3.0
    assert records(order) == [SAID, CHANGES]


def test_it_is_waited_for_no_longer_than_there_is_patience(order: Ordered, clock: ActingClock) -> None:
    told = order.told(order.away(*[GONE] * 5), patience=2.5)
    with pytest.raises(StoreAway):
        told.recorded(CHANGES)
    assert clock.now().since(START) == 3.0
    assert order.lines() == []
    told.now()
    assert records(order) == [CHANGES]


def test_whoever_is_stopped_waits_for_no_store(order: Ordered, clock: ActingClock) -> None:
    told = order.told(order.away(GONE, GONE))
    told.stop.wish(HANDED_ON)
    told.stop.wish("a later wish")
    assert told.stop.hands_on
    with pytest.raises(StoreAway):
        told.recorded(CHANGES)
    assert clock.now() == START


def test_a_look_is_told_by_its_host_and_the_end_tells_the_rest(order: Ordered) -> None:
    told = order.told()
    told.say(_line('web-"1"', b'{"n":1}'))
    told.end("read", b"{}")
    assert records(order) == [{"host": 'web-"1"', "look": {"n": 1}}]
    assert (order.seen().state, order.seen().outcome, order.seen().result) == ("ended", "read", b"{}")


def test_what_was_not_heard_is_told_again_and_nobody_tells_at_the_same_time(order: Ordered) -> None:
    told = order.told()
    told.recorded(SAID)
    telling = told.begun()
    assert telling is not None
    with ThreadPoolExecutor(1) as another:
        assert another.submit(told.begun).result() is None
    told.heard(telling, None)
    assert told.begun() == telling
    told.heard(telling, Wished(mine=True, gone=True, answer="yes"))
    assert (told.attended, told.answer) == (False, "yes")
    empty = told.begun()
    assert empty is not None
    assert (empty.lines, empty.number) == ((), 1)


def test_a_store_that_comes_back_to_a_worker_first_leaves_time_to_whoever_ordered_it(
    order: Ordered, clock: ActingClock
) -> None:
    told = order.told()
    for seconds, attended in ((0.0, True), (ALONE - 1, True), (1.0, False)):
        clock.sleep(seconds)
        telling = told.begun()
        assert telling is not None
        told.heard(telling, Wished(mine=True))
        assert told.attended is attended
    telling = told.begun()
    assert telling is not None
    told.heard(telling, Wished(mine=True, attended=True))
    assert told.attended


def test_it_hears_whether_somebody_is_there_and_who_wants_it_to_stop(order: Ordered) -> None:
    told = order.told()
    hear(told)
    assert told.attended
    assert not told.stop.is_set()
    order.orders.beat(told.taken.order, AT, attended=False)
    hear(told)
    assert not told.attended
    order.orders.stop([FIRST])
    hear(told)
    assert told.stop.why == "a person asked to stop"


class Hearing(PartTold):
    """Says when it has heard something."""

    def heard(self, telling: Any, wished: Any) -> None:
        super().heard(telling, wished)
        self.again.set()

    @property
    def again(self) -> threading.Event:
        return self.__dict__.setdefault("_again", threading.Event())  # type: ignore[no-any-return]

    def until(self, true: Any) -> None:
        for _ in range(1000):
            if true():
                return
            assert self.again.wait(DEADLINE)
            self.again.clear()
        raise AssertionError("it heard much, but not this")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_telling, "EVERY", 0.005)
    monkeypatch.setattr(part_telling, "AGAIN", 0.005)


@pytest.mark.usefixtures("quick")
def test_a_reporter_tells_of_all_parts_and_hears_a_stop_and_an_answer_and_a_takeover(order: Ordered) -> None:
    parts = order.worker()
    one, other = (Hearing(order.begun(part), parts, PartStop()) for part in (FIRST, SECOND))
    with Reporter(parts, lambda _: None) as reporter:
        reporter.add(one)
        reporter.add(other)
        one.recorded(SAID)
        one.until(lambda: records(order) == [SAID])
        one.ask("may I?")
        order.orders.answer(FIRST, 1, "yes")
        one.until(lambda: one.answer == "yes")
        order.orders.stop([FIRST])
        assert one.stop.wait(DEADLINE)
        order.begun(SECOND, "node-2")
        assert other.stop.wait(DEADLINE)
    assert (one.stop.why, other.stop.why) == ("a person asked to stop", "another worker has taken over")


@pytest.mark.usefixtures("quick")
def test_a_reporter_that_meets_a_defect_or_a_store_that_is_away_goes_on(order: Ordered) -> None:
    parts, said = order.away(GONE, ZeroDivisionError("by none"), GONE), list[str]()
    told = Hearing(order.begun(), parts, PartStop())
    told.recorded(SAID)
    with Reporter(parts, said.append) as reporter:
        reporter.add(told)
        told.until(lambda: records(order) == [SAID])
    assert said == ["a defect of ours: ZeroDivisionError: by none"]


def test_a_reporter_hands_on_what_is_under_way_and_no_other(order: Ordered) -> None:
    reporter = Reporter(order.worker(), lambda _: None)
    one, other = order.told(), order.told(part=SECOND)
    reporter.add(one)
    reporter.add(other)
    reporter.remove(other)
    reporter.stop(HANDED_ON)
    assert (one.stop.hands_on, other.stop.is_set()) == (True, False)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("added", [(0, 1), (1, 0)], ids=["in-turn", "the-earlier-one-comes-late"])
def test_of_two_attempts_at_a_part_in_one_worker_the_later_one_is_told_of_and_the_earlier_stops(
    order: Ordered, added: tuple[int, int]
) -> None:
    parts = order.worker()
    first = Hearing(order.begun(), parts, PartStop())
    order.begun(node="node-2")
    again = Hearing(order.begun(), parts, PartStop())
    with Reporter(parts, lambda _: None) as reporter:
        for place in added:
            reporter.add((first, again)[place])
        assert first.stop.is_set()
        reporter.remove(first)
        again.ask("may I?")
        order.orders.answer(FIRST, 3, "yes")
        again.until(lambda: again.answer == "yes")
        assert not again.stop.is_set()
        reporter.remove(again)
    assert not first.stop.hands_on
