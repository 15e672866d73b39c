"""Did a step move what it should move? What counts as a clear change, and what is said where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab.small import METRICS

from memrunbook.core.action.moved import FLOORS, Moves, effect, moved
from memrunbook.core.units import GIB, KIB, MIB, Unit

PERCENT, BYTES = "memory.available_percent", "memory.available_bytes"


@pytest.mark.parametrize(
    ("before", "after", "unit", "clear"),
    [
        (4.1, 4.3, Unit.PERCENT, False),
        (4.1, 5.2, Unit.PERCENT, True),
        (60.0, 62.9, Unit.PERCENT, False),
        (60.0, 63.0, Unit.PERCENT, True),
        (100 * MIB, 115 * MIB, Unit.BYTES, False),
        (100 * MIB, 116 * MIB, Unit.BYTES, True),
        (10 * GIB, 10 * GIB + 400 * MIB, Unit.BYTES, False),
        (190 * GIB, 198 * GIB, Unit.BYTES, True),
        (190 * GIB, 191 * GIB, Unit.BYTES, True),
        (190 * GIB, 191 * GIB - 1, Unit.BYTES, False),
        (0, 64 * KIB, Unit.BYTES_PER_SECOND, True),
        (0.99, 0.95, Unit.RATIO, False),
        (0.99, 0.45, Unit.RATIO, True),
        (0.0, 9.0, Unit.PER_SECOND, False),
        (0.0, 10.0, Unit.PER_SECOND, True),
        (60, 10, Unit.NONE, True),
        (1, 1, Unit.COUNT, False),
        (False, True, Unit.NONE, True),
        ("always", "always", Unit.NONE, False),
        ([1.0], [2.0], Unit.RATIO, True),
    ],
)
def test_a_change_is_clear_beyond_a_twentieth_and_the_floor_of_its_unit(
    before: Any, after: Any, unit: Unit, *, clear: bool
) -> None:
    assert moved(before, after, unit, "either") is clear


def test_what_moved_to_the_wrong_side_did_not_move() -> None:
    assert moved(5.0, 50.0, Unit.PERCENT, "up")
    assert not moved(5.0, 50.0, Unit.PERCENT, "down")
    assert moved(50.0, 5.0, Unit.PERCENT, "down")
    assert not moved(50.0, 5.0, Unit.PERCENT, "up")


def test_one_of_several_that_moved_is_enough() -> None:
    moves: Moves = {PERCENT: "up", BYTES: "up"}
    assert effect(moves, {PERCENT: 4.0, BYTES: GIB}, {PERCENT: 4.1, BYTES: 2 * GIB}, METRICS) == ""


def test_what_moved_nothing_says_so_with_its_values() -> None:
    still = effect({PERCENT: "up"}, {PERCENT: 4.1}, {PERCENT: 4.3}, METRICS)
    assert still == "did not move its signal: memory.available_percent 4.1 % -> 4.3 %"
    both = effect({PERCENT: "up", BYTES: "up"}, {PERCENT: 4.1, BYTES: GIB}, {PERCENT: 4.3, BYTES: GIB}, METRICS)
    assert both.endswith("memory.available_percent 4.1 % -> 4.3 %, memory.available_bytes 1.0 GiB -> 1.0 GiB")
    assert both.startswith("did not move its signals: ")


def test_what_could_not_be_read_is_neither_moved_nor_still() -> None:
    unread = "its effect cannot be told: memory.available_percent could not be read before and after"
    for before, after in (({PERCENT: None}, {PERCENT: 9.0}), ({PERCENT: 9.0}, {PERCENT: None}), ({PERCENT: 9.0}, {})):
        assert effect({PERCENT: "up"}, before, after, METRICS) == unread
    assert effect({PERCENT: "up", BYTES: "up"}, {PERCENT: None, BYTES: 0}, {PERCENT: 5.0, BYTES: GIB}, METRICS) == ""


def test_a_metric_that_the_catalogue_lacks_is_compared_as_a_number() -> None:
    assert effect({"old.count": "up"}, {"old.count": 1}, {"old.count": 1}, METRICS).endswith("old.count 1 -> 1")


def test_nothing_expected_nothing_said() -> None:
    assert effect({}, {PERCENT: 4.1}, {PERCENT: 4.1}, METRICS) == ""


numbers = st.integers(-(10**15), 10**15)


@given(numbers, numbers, st.sampled_from([*Unit]))
def test_a_clear_change_is_clear_to_exactly_one_side(before: int, after: int, unit: Unit) -> None:
    sides = [moved(before, after, unit, side) for side in ("up", "down")]
    assert moved(before, after, unit, "either") is any(sides)
    assert sides != [True, True]
    if abs(after - before) < FLOORS.get(unit, 1.0):
        assert not any(sides)
