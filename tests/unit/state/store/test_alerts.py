"""Alerts that come again are counted, in the file and on a real PostgreSQL server."""

from __future__ import annotations

from tests.unit.state.conftest import Opened

from memrunbook.core.units import HOUR
from memrunbook.state.store.alerts import (
    CLAIMED,
    KEPT,
    answered_before,
    not_answered,
    still_answering,
    was_answered,
)

NOW = 1.8e9


def test_the_first_is_answered_and_the_next_are_counted_within_the_window(opened: Opened) -> None:
    store = opened()
    assert [answered_before(store, "a", HOUR, NOW + n) for n in range(3)] == [0, 2, 3]
    assert answered_before(store, "b", HOUR, NOW) == 0
    was_answered(store, ["a", "b"], NOW)
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


def test_who_was_killed_in_the_middle_holds_up_no_answer_for_long(opened: Opened) -> None:
    store = opened()
    assert answered_before(store, "a", HOUR, NOW) == 0
    assert answered_before(store, "a", HOUR, NOW + CLAIMED - 1) == 2, "somebody may be at it"
    assert answered_before(store, "a", HOUR, NOW + CLAIMED + 1) == 0, "nobody is any more"


def test_who_is_still_at_it_has_it_for_as_long_as_that_takes(opened: Opened) -> None:
    store = opened()
    fingerprint = "f" * 64
    assert answered_before(store, fingerprint, HOUR, NOW) == 0
    for minute in range(1, 10):
        still_answering(store, [fingerprint], NOW + minute * 60)
        assert answered_before(store, fingerprint, HOUR, NOW + minute * 60 + 1) == minute + 1
    was_answered(store, [fingerprint], NOW + 600)
    assert answered_before(store, fingerprint, HOUR, NOW + HOUR + 599) == 11
    assert answered_before(store, fingerprint, HOUR, NOW + HOUR + 601) == 0


def test_a_clock_that_was_ahead_holds_up_no_answer(opened: Opened) -> None:
    store, ahead = opened(), NOW + 400 * KEPT
    assert answered_before(store, "a", HOUR, ahead) == 0
    assert answered_before(store, "a", HOUR, NOW) == 0, "the claim of a year ahead is none"
    was_answered(store, ["a"], ahead)
    assert answered_before(store, "a", HOUR, NOW + 1) == 0
