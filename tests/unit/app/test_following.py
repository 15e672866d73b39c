"""What workers tell is heard in its order and once, and a store that is away is told of once."""

from __future__ import annotations

import pytest
from tests.unit.app.ordered import (
    FIRST,
    GONE,
    ORDER,
    SECOND,
    ActingClock,
    AwayOrders,
    Ordered,
    clock,
    given,
    hear,
    order,
)

from memrunbook.app import following
from memrunbook.app.following import AGAIN, AWAY, BACK, BEAT, EVERY, WORKERS, PartsFollowed
from memrunbook.state.store.orders import HEARD_WITHIN

__all__ = ["clock", "order"]


@pytest.fixture(autouse=True)
def _clock(clock: ActingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    given(clock, monkeypatch, following)


def follow(order: Ordered) -> tuple[PartsFollowed, AwayOrders, list[str]]:
    said, orders = list[str](), AwayOrders(order.store)
    return PartsFollowed(orders, ORDER, lambda words, _hint: said.append(words)), orders, said


def test_each_line_is_heard_once_and_in_its_order(order: Ordered, clock: ActingClock) -> None:
    one, other = order.told(), order.told(part=SECOND)
    for number in (1, 2):
        one.recorded({"n": number})
        one.now()
    other.recorded({"n": 7})
    other.now()
    found, _, said = follow(order)
    assert found.lines(FIRST) == []
    seen = found.part(FIRST)
    assert seen is not None
    assert (seen.state, seen.told) == ("running", 2)
    assert found.records(FIRST) == [{"n": 1}, {"n": 2}]
    assert found.records(FIRST) == []
    one.recorded({"n": 3})
    one.now()
    clock.leap(EVERY)
    found.part(SECOND)
    assert found.lines(FIRST) == [b'{"n":3}']
    assert found.lines(SECOND) == [b'{"n":7}']
    assert found.part("another") is None
    assert said == []


def test_nothing_is_asked_twice_in_a_moment_but_after_something_was_done(order: Ordered) -> None:
    found, _, _ = follow(order)
    seen = found.part(FIRST)
    assert seen is not None
    assert seen.state == "waiting"
    order.begun()
    assert found.part(FIRST) == seen
    found.at_once()
    seen = found.part(FIRST)
    assert seen is not None
    assert seen.state == "running"


def test_a_store_that_is_away_is_told_of_once_and_so_is_its_return(order: Ordered, clock: ActingClock) -> None:
    found, orders, said = follow(order)
    found.part(FIRST)
    orders.left.extend([GONE, GONE, GONE])
    told = order.told()
    told.recorded({"n": 1})
    told.now()
    for _ in range(3):
        clock.leap(AGAIN)
        seen = found.part(FIRST)
        assert seen is not None
        assert seen.state == "waiting", "what was known last"
    clock.leap(EVERY)
    found.part(FIRST)
    assert said == [AWAY], "it is not asked as often as one that answers"
    clock.leap(AGAIN)
    found.part(FIRST)
    assert said == [AWAY, BACK]
    assert found.records(FIRST) == [{"n": 1}]
    clock.leap(EVERY)
    found.part(FIRST)
    assert said == [AWAY, BACK]


def test_one_asks_for_all_and_nobody_waits_for_that(order: Ordered) -> None:
    found, orders, _ = follow(order)
    inside = list[object]()
    orders.before.append(lambda: inside.append(found.part(FIRST)))
    assert found.part(FIRST) is not None
    assert inside == [None]


def test_it_says_that_somebody_waits(order: Ordered, clock: ActingClock) -> None:
    found, _, _ = follow(order)
    told = order.told()
    clock.leap(HEARD_WITHIN + 1)
    found.part(FIRST)
    now = clock.now().utc
    telling = told.begun()
    assert telling is not None
    assert told.parts.meanwhile([telling], now)[FIRST].attended
    assert not told.parts.meanwhile([telling], now + HEARD_WITHIN + BEAT)[FIRST].attended
    told.heard(telling, None)
    hear(told)


def test_the_workers_of_a_site_are_those_that_were_heard_of_lately(order: Ordered, clock: ActingClock) -> None:
    found, _, _ = follow(order)
    order.worker("node-1").beat(["default", "berlin"], 5, clock.now().utc)
    order.worker("node-2").beat(["default"], 5, clock.now().utc)
    assert [one.node for one in found.workers("default")] == ["node-1", "node-2"]
    assert [one.node for one in found.workers("berlin")] == ["node-1"]
    assert found.workers("oslo") == []
    order.worker("node-1").beat(["default"], 5, clock.now().utc, stopped=True)
    clock.leap(WORKERS)
    assert [one.node for one in found.workers("default")] == ["node-2"]
    clock.leap(HEARD_WITHIN)
    assert found.workers("default") == []
