"""Trends: the series of the domain reference, twelve samples five minutes apart, and what holds of any series."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading import trend
from memrunbook.core.reading.trend import LEAST_POINTS, SIGNIFICANT, rises, significance, slope

NOISE = (0.0, 1.3, -0.8, 0.4, -1.6, 0.9, -0.3, 1.7, -1.1, 0.2, -0.5, 1.0)
FIVE_MINUTES, HOUR = 300.0, 3600.0


def series(value: Callable[[int], float]) -> list[tuple[float, float]]:
    """Values in MiB by their number."""
    return [(number * FIVE_MINUTES, value(number)) for number in range(12)]


LEAK = series(lambda n: 400 + 5 * n + NOISE[n])
SPIKE = [*LEAK[:-1], (LEAK[-1][0], LEAK[-1][1] + 800)]
STEP = series(lambda n: 400 + 300 * (n >= 6) + NOISE[n])
SAW_TOOTH = series(lambda n: 400 + 60 * (n % 4))
WARM_UP = series(lambda n: 400 + 250 * min(n, 3) + NOISE[n])
FLAT = series(lambda n: 400 + 3 * NOISE[n])


@pytest.mark.parametrize(("points", "leaks"), [(LEAK, True), (SPIKE, True), (STEP, False), (SAW_TOOTH, False),
                                              (WARM_UP, False), (FLAT, False)],
                         ids=["leak", "spike", "step", "saw-tooth", "warm-up", "flat"])  # fmt: skip
def test_only_a_leak_rises(points: list[tuple[float, float]], *, leaks: bool) -> None:
    assert (significance([value for _, value in points]) >= SIGNIFICANT) is leaks
    assert rises(points) is leaks


@pytest.mark.parametrize("points", [LEAK, SPIKE])
def test_the_slope_of_a_leak_is_right_even_with_a_spike_at_the_end(points: list[tuple[float, float]]) -> None:
    assert slope(points) * HOUR == pytest.approx(60, rel=0.05)
    # All 66 pairs rise: S = 66, variance = 12 * 11 * 29 / 18.
    assert significance([value for _, value in points]) == pytest.approx(65 / math.sqrt(3828 / 18))


def test_a_steep_warm_up_that_is_flat_at_the_end_does_not_rise_whatever_its_significance() -> None:
    points = [(float(n), 10.0 * min(n, 8) + 0.01 * n) for n in range(12)]
    assert significance([value for _, value in points]) > 4
    assert not rises(points)


def test_too_few_points_do_not_rise() -> None:
    points = [(float(n), float(n)) for n in range(LEAST_POINTS)]
    assert rises(points)
    assert not rises(points[1:])


def test_equal_values_and_equal_times_have_no_trend() -> None:
    assert significance([5.0] * 9) == 0.0
    assert slope([(1.0, 2.0), (1.0, 9.0)]) == 0.0
    assert slope([]) == 0.0
    assert not rises([(float(n), 5.0) for n in range(9)])


def test_ties_lower_the_variance() -> None:
    # Of 28 pairs 24 rise and 4 are equal: S = 24, variance = (1176 - 4 * 18) / 18.
    assert significance([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]) == pytest.approx(23 / math.sqrt(1104 / 18))


numbers = st.integers(-(10**6), 10**6).map(float)


@given(st.lists(numbers, min_size=2, max_size=20), st.integers(-1000, 1000))
def test_a_level_added_changes_nothing(values: list[float], level: int) -> None:
    moved = [value + level for value in values]
    assert significance(moved) == significance(values)
    assert slope(list(enumerate(moved))) == slope(list(enumerate(values)))


@given(st.lists(numbers, min_size=2, max_size=20))
def test_the_mirror_image_falls_as_the_series_rises(values: list[float]) -> None:
    mirrored = [-value for value in values]
    assert significance(mirrored) == -significance(values)
    assert slope(list(enumerate(mirrored))) == pytest.approx(-slope(list(enumerate(values))))
    assert not (rises(list(enumerate(values))) and rises(list(enumerate(mirrored))))


@given(st.lists(st.integers(-3, 3), min_size=12, max_size=40), st.integers(10, 1000))
def test_a_slope_beyond_the_noise_is_found(noise: list[int], rate: int) -> None:
    points = [(float(n), float(rate * n + one)) for n, one in enumerate(noise)]
    assert slope(points) == pytest.approx(rate, abs=6)
    assert rises(points)


@given(st.lists(numbers, min_size=9, max_size=20), st.floats(1e9, 1e12))
def test_one_spike_at_the_end_hardly_moves_the_slope(values: list[float], spike: float) -> None:
    points = list(enumerate(sorted(values)))
    bound = max(later - earlier for (_, earlier), (_, later) in pairwise(points))
    assert slope([*points[:-1], (points[-1][0], spike)]) <= bound


def test_the_interval_holds_the_slope_and_widens_with_noise() -> None:
    noise = random.Random(3)
    quiet = [(float(at), 2.0 * at + noise.gauss(0, 1)) for at in range(40)]
    loud = [(float(at), 2.0 * at + noise.gauss(0, 20)) for at in range(40)]
    narrow, wide = trend.trend([quiet]), trend.trend([loud])
    assert narrow.low < 2.0 < narrow.high
    assert wide.high - wide.low > narrow.high - narrow.low
    assert narrow.slope == trend.slope(quiet)
    assert narrow.z == pytest.approx(trend.significance([value for _, value in quiet]))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        noise = random.Random(seed)
        found = trend.trend([[(float(at), noise.gauss(0, 1)) for at in range(30)]])
        held += found.low <= 0.0 <= found.high
    assert 180 <= held <= 200


def test_gilberts_interval() -> None:
    """Worked by hand: six values, 15 slopes, Var S = 6 * 5 * 17 / 18; ranks 15 / 2 -+ 1.96 * 5.32 / 2."""
    points = [(float(at), value) for at, value in enumerate([10.0, 13.0, 11.0, 15.0, 18.0, 17.0])]
    found = trend.trend([points])
    assert [found.slope, found.low, found.high] == pytest.approx([5 / 3, -1.0, 3.5])


def test_only_points_of_one_series_are_compared() -> None:
    parts = [[(0.0, 0.0), (1.0, 1.0)], [(10.0, -50.0), (11.0, -49.0)]]
    assert trend.trend(parts).slope == 1.0
    assert trend.trend([]) == trend.Trend()


def test_neighbours_that_are_alike_count_for_fewer() -> None:
    points = [(float(at), float(at)) for at in range(30)]
    assert trend.trend([points], 0.8).z == pytest.approx(trend.trend([points]).z / 3)
