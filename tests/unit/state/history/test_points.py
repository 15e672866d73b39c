"""Packed and unpacked it is the same; the key keeps the order of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.state.history import points

SLOTS = st.integers(0, points.MOST_SLOTS - 1)
VALUES = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.dictionaries(SLOTS, VALUES))
def test_fine(row: dict[int, float]) -> None:
    assert points.unpack_fine(points.pack_fine(row)) == row


@given(st.dictionaries(SLOTS, st.tuples(VALUES, VALUES, VALUES)))
def test_coarse(row: dict[int, tuple[float, float, float]]) -> None:
    assert points.unpack_coarse(points.pack_coarse(row)) == row


@given(st.integers(0, points.MOST_HOSTS - 1), st.integers(0, points.LATEST), st.booleans())
def test_a_key_tells_its_time_and_fits_a_signed_number_of_64_bits(host: int, at: int, coarse: bool) -> None:  # noqa: FBT001
    place = points.key(host, at, coarse=coarse)
    assert points.time_of(place) == at
    assert 0 <= place < 1 << 63


@given(st.integers(0, 99), st.integers(0, points.LATEST))
def test_all_rows_of_a_host_lie_between_its_first_and_its_last(host: int, at: int) -> None:
    fine, coarse = points.key(host, at, coarse=False), points.key(host, at, coarse=True)
    assert points.key(host, 0, coarse=False) <= fine < points.key(host, 0, coarse=True) <= coarse
    assert coarse < points.key(host + 1, 0, coarse=False)


def test_readings_of_an_hour_become_least_mean_and_largest() -> None:
    hour = points.folded([{1: 2.0, 2: 1.0}, {1: 4.0}, {1: 9.0, 3: 1.0}], frozenset({3}))
    assert hour == {1: (2.0, 5.0, 9.0), 2: (1.0, 1.0, 1.0)}
    assert points.hour_of(points.HOUR * 7 + 5) == points.HOUR * 7


def test_a_value_keeps_seven_digits() -> None:
    gibibytes = float(63 * (1 << 30) + 4096)
    assert points.unpack_fine(points.pack_fine({0: gibibytes}))[0] == pytest.approx(gibibytes, rel=1e-7)
