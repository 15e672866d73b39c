"""Alerts that come again are counted, in the file and on a real PostgreSQL server."""

from __future__ import annotations

from tests.unit.state.store.test_store import Opened, opened, server

from memrunbook.core.units import HOUR
from memrunbook.state.store.alerts import KEPT, answered_before, not_answered

__all__ = ["opened", "server"]
NOW = 1.8e9


def test_the_first_is_answered_and_the_next_are_counted_within_the_window(opened: Opened) -> None:
    store = opened()
    assert [answered_before(store, "a", HOUR, NOW + n) for n in range(3)] == [0, 2, 3]
    assert answered_before(store, "b", HOUR, NOW) == 0
    assert answered_before(opened(), "a", HOUR, NOW + HOUR - 1) == 4
    assert answered_before(store, "a", HOUR, NOW + HOUR + 1) == 0


def test_what_could_not_be_answered_is_answered_when_it_comes_again(opened: Opened) -> None:
    store = opened()
    assert answered_before(store, "a", HOUR, NOW) == 0
    not_answered(store, "a")
    assert answered_before(store, "a", HOUR, NOW + 1) == 0


def test_what_is_old_is_forgotten(opened: Opened) -> None:
    store = opened()
    answered_before(store, "a", 10 * KEPT, NOW)
    assert answered_before(store, "a", 10 * KEPT, NOW + KEPT + 1) == 0
