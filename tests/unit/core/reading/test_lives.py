"""Points as a judgement can use them: in order, by life, few enough, without spikes and the day's round."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading import lives, trend
from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY, HOUR


def part(*values: float) -> lives.Part:
    return [(float(at), value) for at, value in enumerate(values)]


def test_lives_are_in_order_and_hold_what_can_be_memory() -> None:
    odd = [math.nan, math.inf, -1.0]
    points = [Observation(9.0, 5.0, "b"), Observation(2.0, 3.0, "a"), Observation(1.0, 2.0, "a")]
    points += [Observation(3.0, value, "a") for value in odd] + [Observation(math.nan, 1.0, "a")]
    assert lives.lives_of(points) == [[(1.0, 2.0), (2.0, 3.0)], [(9.0, 5.0)]]


def test_of_two_points_at_one_time_the_later_stands() -> None:
    assert lives.lives_of([Observation(1.0, 2.0), Observation(1.0, 4.0)]) == [[(1.0, 4.0)]]


def test_a_life_that_could_not_be_read_is_the_last_that_was_known() -> None:
    read = [Observation(float(at), 1.0, life) for at, life in enumerate(["", "a", "", "a", "b", ""])]
    assert [len(part) for part in lives.lives_of(read)] == [1, 3, 2]


def test_a_long_life_is_averaged_over_equal_stretches_and_a_gap_stays() -> None:
    long = [(float(at), 1.0) for at in range(1000) if not 300 < at < 700]
    (short,) = lives.fewer([long])
    assert len(short) <= lives.MOST_POINTS + 1
    assert not [at for at, _ in short if 320 < at < 680]
    assert {value for _, value in short} == {1.0}


def test_many_short_lives_stay_as_they_are() -> None:
    parts = [part(1, 2, 3, 4, 5, 6)] * 50
    assert lives.fewer(parts) == parts


@given(st.lists(st.floats(0, 1e12), min_size=100, max_size=400))
def test_averages_stay_between_the_extremes_and_in_order(values: list[float]) -> None:
    (short,) = lives.fewer([part(*values)])
    assert len(short) <= lives.MOST_POINTS + 1
    assert short == sorted(short)
    assert all(min(values) * 0.999 <= value <= max(values) * 1.001 for _, value in short)


def test_hours_are_compared_with_the_same_hour_of_other_days() -> None:
    points = [(float(index * HOUR), float(index)) for index in range(72)]
    hours = lives.hours_of(points)
    assert len(hours) == 24
    assert {len(hour) for hour in hours} == {3}
    assert {after[0] - before[0] for before, after in (hour[:2] for hour in hours)} == {DAY}


def test_a_daily_round_goes_and_growth_and_a_step_stay() -> None:
    times = [float(index * HOUR) for index in range(5 * 24)]
    round_ = [1000 + 300 * math.sin(2 * math.pi * at / DAY) for at in times]
    flat = lives.without_day(list(zip(times, round_, strict=True)), 0.0)
    assert lives.range_of(flat) < 1e-6
    grown = [(at, value + 5 * at / HOUR) for at, value in zip(times, round_, strict=True)]
    left = lives.without_day(grown, 5 / HOUR)
    assert left[-1][1] - left[0][1] == pytest.approx(5 * 119)
    stepped = [(at, value + (500 if at > 2.5 * DAY else 0)) for at, value in zip(times, round_, strict=True)]
    below, above = lives.split(lives.without_day(stepped, trend.trend(lives.hours_of(stepped)).slope))
    assert len(below) == 61
    assert above[0][1] - below[-1][1] == pytest.approx(500, rel=0.2)


def test_noise_is_told_beside_any_trend() -> None:
    assert lives.noise_of(part(1, 2, 3, 4, 5)) == 0.0
    assert lives.noise_of(part(0, 10, 0, 10, 0, 10)) > 5.0
    assert lives.noise_of(part(1, 2)) == 0.0


def test_a_spike_is_taken_out_and_a_step_stays() -> None:
    assert lives.steadied(part(1, 1, 9, 1, 1)) == part(1, 1, 1, 1, 1)
    assert lives.steadied(part(1, 1, 9, 9, 9)) == part(1, 1, 9, 9, 9)
    assert lives.steadied(part(1, 1, 1, 9)) == part(1, 1, 1, 1)
    assert lives.steadied(part(1, 9)) == part(1, 9)


def test_floors_are_where_memory_falls_back_to() -> None:
    teeth = part(0, 5, 10, 1, 6, 11, 2, 7, 12, 3)
    assert [value for _, value in lives.floors_of(teeth, 5.0)] == [0, 1, 2, 3]
    assert lives.floors_of(part(0, 1, 2, 3), 5.0) == []
    assert lives.floors_of(part(5, 4, 3), 0.5) == []


def test_the_lows_of_a_saw_tooth_do_not_rise() -> None:
    assert lives.lows_of(part(*range(64))) == [2, 10, 18, 26, 34, 42, 50, 58]
    assert set(lives.lows_of(part(*([0, 1, 2, 3] * 16)))) == {1}


def test_what_fills_up_ever_more_slowly_levels_off() -> None:
    times = range(64)
    assert lives.levels_off(part(*(math.log1p(at) for at in times)))
    assert lives.levels_off(part(*(1 - math.exp(-at / 10) for at in times)))
    assert not lives.levels_off(part(*map(float, times)))


def test_neighbours_that_are_alike_are_seen_and_few_points_never() -> None:
    slow = part(*(math.sin(at / 8) for at in range(64)))
    assert lives.correlation_of([slow], 0.0) == 0.8
    assert lives.correlation_of([slow[:20]], 0.0) == 0.0
    assert lives.correlation_of([part(*([0.0, 1.0] * 32))], 0.0) == 0.0
    assert lives.correlation_of([part(*([1.0] * 32))], 0.0) == 0.0
