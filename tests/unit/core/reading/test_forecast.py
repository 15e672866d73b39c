"""What is called a leak and what is not; how long until the limit. The rates over many seeds: bench/forecast.py."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest
from bench import forecast as bench
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from memrunbook.core.reading.forecast import LEAST_GROWTH, Forecast, forecast
from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY, GIB, HOUR, MIB, MINUTE

SEEDS = 60
Points = list[Observation]


def read(values: Sequence[float], every: float = 5 * MINUTE, life: str = "1", limit: float | None = None) -> Points:
    """Values in MiB, so far apart."""
    return [Observation(1e9 + index * every, value * MIB, life, limit) for index, value in enumerate(values)]


def noisy(values: Sequence[float], noise: float = 3.0, seed: int = 7) -> list[float]:
    source = random.Random(seed)
    return [value + source.gauss(0.0, noise) for value in values]


def per_hour(found: Forecast) -> float:
    return found.slope * HOUR / MIB


RISING = [1000 + 60 * index / 12 for index in range(24)]


@pytest.mark.parametrize(
    ("name", "values", "pattern"),
    [
        ("leak of 60 MiB/h and noise", noisy(RISING), "leak"),
        ("the same with a spike at its end", [*noisy(RISING)[:-1], 1900.0], "leak"),
        ("one step of 300 MiB", noisy([1000] * 12 + [1300] * 12), "step"),
        ("saw-tooth of a collector", noisy([1000 + 50 * (index % 8) for index in range(24)]), "saw-tooth"),
        ("warm-up, then flat", noisy([1000 + min(index, 6) * 80 for index in range(24)]), "warm-up"),
        ("flat and noise", noisy([1000] * 24, 30), "no trend"),
        ("falling", noisy([2000 - 20 * index for index in range(24)]), "falling"),
        ("flat", noisy([1000] * 24), "too little"),
    ],
)
def test_the_table_of_series(name: str, values: list[float], pattern: str) -> None:
    assert forecast(read(values)).pattern in {pattern, *(["no trend"] if pattern != "leak" else [])}, name
    assert forecast(read(values)).leaks == (pattern == "leak"), name


def test_a_spike_at_the_end_does_not_move_the_slope() -> None:
    spiked = forecast(read([*noisy(RISING)[:-1], 1900.0]))
    assert per_hour(spiked) == pytest.approx(60, abs=3)
    assert spiked.low < spiked.slope < spiked.high


def test_too_few_and_too_short_are_never_judged() -> None:
    assert forecast([]).pattern == "too few"
    assert forecast(read(RISING[:7])).pattern == "too few"
    assert forecast(read([1000 + 100 * index for index in range(20)], every=60)).pattern == "too short"


def test_time_to_its_own_limit_follows_from_the_slope() -> None:
    found = forecast(read(noisy(RISING), limit=4 * GIB))
    assert found.limit_seconds is not None
    assert found.limit_seconds / HOUR == pytest.approx((4096 - 1115) / 60, rel=0.05)
    assert found.earliest_seconds is not None
    assert found.latest_seconds is not None
    assert found.earliest_seconds < found.limit_seconds < found.latest_seconds
    assert forecast(read(noisy(RISING))).limit_seconds is None


@pytest.mark.parametrize("every", [300.0, 3600.0])
def test_time_to_a_limit_counts_from_the_newest_point_however_far_points_are_apart(every: float) -> None:
    values = [1000 + 60 * index * every / HOUR for index in range(30)]
    found = forecast(read(values, every=every, limit=4 * GIB))
    assert found.limit_seconds == pytest.approx((4096 - values[-1]) / 60 * HOUR, rel=0.001)
    assert forecast(read(values, every=every, limit=int(values[-1]) * MIB)).limit_seconds == pytest.approx(0, abs=60)


def test_what_is_small_beside_the_host_leaks_only_where_its_limit_is_near() -> None:
    values = noisy([1000 + 20 * index / 12 for index in range(120)])
    assert forecast(read(values), ram=64.0 * GIB).pattern == "too little"
    assert forecast(read(values), ram=16.0 * GIB).leaks
    assert forecast(read(values, limit=2 * GIB), ram=64.0 * GIB).leaks


def young(values: Sequence[float], limit: float | None = None, room: float | None = None) -> Forecast:
    """Known from its start on, five minutes apart."""
    points = read(noisy(values), limit=limit)
    return forecast(points, began=points[0].at, room=room)


def test_a_run_of_an_hour_is_too_young_to_leak_unless_half_of_its_room_is_gone() -> None:
    hour = [1000 + 600 * index / 12 for index in range(12)]
    assert young(hour).pattern == "too young"
    assert young(hour, limit=4 * GIB).pattern == "too young"
    assert young(hour, limit=2000 * MIB).leaks
    assert young(hour, room=500 * MIB).leaks
    assert young(hour, room=1000 * MIB).pattern == "too young"
    assert young([1000 + 60 * index / 12 for index in range(100)]).leaks


def test_what_warms_up_towards_its_limit_is_not_urgent() -> None:
    warm = [1000 + 900 * (1 - math.exp(-index / 12)) for index in range(12)]
    assert young(warm).pattern in {"too young", "warm-up"}
    assert not young(warm, limit=2000 * MIB).leaks


def test_who_runs_for_longer_than_it_is_known_is_judged_at_once() -> None:
    points = read(noisy([1000 + 600 * index / 12 for index in range(12)]))
    assert forecast(points).leaks
    assert forecast(points, began=points[0].at - 6 * HOUR).leaks
    assert not forecast(points, began=points[0].at - 4 * HOUR).leaks


def test_a_leak_that_began_after_days_of_flat_is_told_half_a_day_later() -> None:
    flat = [1000.0] * 12 * 24 * 4
    for hours, leaks in ((6, False), (13, True), (30, True), (60, True)):
        found = forecast(read(noisy([*flat, *(1000 + 100 * index / 12 for index in range(hours * 12))], 20)))
        assert found.leaks == leaks, (hours, found)
        assert not leaks or per_hour(found) == pytest.approx(100, rel=0.1)
        assert not leaks or found.seconds <= hours * HOUR


def test_what_fills_up_after_days_of_flat_is_no_leak() -> None:
    for hours in range(2, 48, 4):
        flat = [1000.0] * 12 * 24 * 4
        cache = [1000 + 900 * (1 - math.exp(-index / 24)) for index in range(hours * 12)]
        assert not forecast(read(noisy([*flat, *cache], 10))).leaks, hours


def test_lives_are_joined() -> None:
    lives = [
        Observation(point.at + life * 90 * MINUTE, point.value, str(life))
        for life in range(6)
        for point in read(noisy([500 + 10 * index for index in range(6)], seed=life), every=15 * MINUTE)
    ]
    found = forecast(lives)
    assert (found.leaks, found.lives) == (False, 6)  # 50 MiB a life
    more = forecast([structs.replace(point, value=point.value * 3) for point in lives])
    assert (more.leaks, more.lives) == (True, 6)
    assert per_hour(more) == pytest.approx(120, rel=0.1)


def test_a_young_life_is_judged_with_those_before_it_and_an_old_one_by_itself() -> None:
    before = read(noisy([500 + 10 * index for index in range(72)]), life="old")
    began = before[-1].at + 5 * MINUTE
    mended = [structs.replace(point, at=point.at - 1e9 + began, life="new") for point in read(noisy([500.0] * 60))]
    assert forecast(before).leaks
    assert forecast([*before, *mended[:10]]).leaks
    assert not forecast([*before, *mended]).leaks


def test_a_service_that_was_just_started_is_no_leak_while_it_warms_up_as_before() -> None:
    warm = [500 + 400 * (1 - math.exp(-index / 6)) for index in range(72)]
    points = read(noisy(warm), life="1")
    began = points[-1].at + 5 * MINUTE
    again = [structs.replace(point, at=point.at - 1e9 + began, life="2") for point in read(noisy(warm)[:9])]
    assert not forecast([*points, *again]).leaks


def test_noon_of_the_third_day_is_no_leak() -> None:
    for hours in range(48, 100, 3):
        times = [index * 5 * MINUTE for index in range(hours * 12)]
        values = [2000 - 500 * math.cos(2 * math.pi * at / DAY) for at in times]
        assert not forecast(read(noisy(values))).leaks, hours


@pytest.mark.parametrize("name", bench.OTHERS)
def test_none_of_the_others_is_called_a_leak(name: str) -> None:
    found = bench.patterns(bench.OTHERS[name], SEEDS)
    assert found["leak"] <= (1 if name in ("wandering", "two steps") else 0), found


DROWNED = [f"leak of 10 MiB/h on {base} MiB, noise 5 %" for base in (2048, 3072, 4096)]
"""A day of it does not show: docs/decisions/0027."""


@pytest.mark.parametrize("name", [name for name in bench.LEAKS if name not in DROWNED])
def test_leaks_are_found(name: str) -> None:
    found = bench.patterns(bench.LEAKS[name], SEEDS)
    assert found["leak"] >= 0.9 * SEEDS, found


SERIES: dict[str, Callable[[random.Random], Points]] = {**bench.LEAKS, **bench.OTHERS}
ANY = st.builds(lambda name, seed: SERIES[name](random.Random(seed)), st.sampled_from(sorted(SERIES)), st.integers(0))


@given(ANY, st.floats(-1e8, 1e8), st.randoms(use_true_random=False))
def test_neither_the_calendar_nor_the_order_of_reading_changes_it(
    points: Points, days: float, order: random.Random
) -> None:
    """Moved by whole days: the hours of the day are compared."""
    found = forecast(points)
    moved = [structs.replace(point, at=point.at + int(days / DAY) * DAY) for point in points]
    order.shuffle(moved)
    again = forecast(moved)
    assert (again.pattern, again.points, again.lives) == (found.pattern, found.points, found.lives)
    assert again.slope == pytest.approx(found.slope, rel=1e-6, abs=1e-6)


@given(ANY, st.integers(1, 5))
def test_doubled_memory_leaks_doubly(points: Points, power: int) -> None:
    found, more = forecast(points), forecast([structs.replace(one, value=one.value * 2**power) for one in points])
    if found.leaks:
        assert more.leaks
    if found.growth > LEAST_GROWTH and more.pattern == found.pattern:
        assert more.slope == pytest.approx(found.slope * 2**power)


@given(ANY, st.permutations("abcdef"))
def test_the_names_of_lives_mean_nothing(points: Points, names: list[str]) -> None:
    ids = list(dict.fromkeys(point.life for point in points))
    renamed = {life: f"{names[index % 6]}{index}" for index, life in enumerate(ids)}
    again = forecast([structs.replace(point, life=renamed[point.life]) for point in points])
    assert again == forecast(points)


@given(
    st.lists(
        st.builds(
            Observation,
            st.floats() | st.floats(0, 1e6),
            st.floats() | st.floats(0, 1e12),
            st.sampled_from(["", "1", "2"]),
            st.none() | st.floats(0, 1e12),
        ),
        max_size=60,
    ),
    st.none() | st.floats(0, 1e13),
)
def test_whatever_is_read_gets_an_answer(points: Points, ram: float | None) -> None:
    found = forecast(points, ram)
    assert found.low <= found.slope <= found.high
    if found.leaks:
        assert found.slope > 0
        assert found.growth > LEAST_GROWTH


def limited(*limits: float | None) -> Points:
    """A leak whose last points have these limits, in MiB; those before have the first."""
    points = read(noisy(RISING), limit=None if limits[0] is None else limits[0] * MIB)
    last = zip(points[-len(limits) :], limits, strict=True)
    return points[: -len(limits)] + [
        structs.replace(one, limit=None if limit is None else limit * MIB) for one, limit in last
    ]


def test_the_newest_point_says_whether_there_is_a_limit() -> None:
    assert forecast(limited(4400.0)).limit == 4400 * MIB
    assert forecast(limited(4400.0, 5000.0)).limit == 5000 * MIB
    removed = forecast(limited(4400.0, None))
    assert (removed.pattern, removed.limit, removed.limit_seconds) == ("leak", None, None)


def test_what_was_imported_takes_no_limit_away() -> None:
    points = limited(4400.0)
    imported = [structs.replace(one, at=one.at + 60, life="", limit=None) for one in points]
    assert forecast([*points, *imported]).limit == 4400 * MIB


def test_who_fills_its_host_within_a_week_leaks_however_small_beside_the_ram() -> None:
    slow = read(noisy([4000 + 200 * index / 12 for index in range(288)]))
    assert not forecast(slow, 256.0 * GIB, room=100.0 * GIB).leaks
    assert forecast(slow, 256.0 * GIB, room=20.0 * GIB).leaks
    assert forecast(slow, 256.0 * GIB).pattern == "too little"


@pytest.mark.parametrize("hours", [3, 4, 6, 8])
def test_a_leak_that_is_read_some_times_a_day_does_not_go_away_after_two_days(hours: int) -> None:
    for count in range(8, 5 * 24 // hours):
        assert forecast(read(noisy([500 + 20 * hours * index for index in range(count)]), hours * HOUR)).leaks, count
        round_ = [500 + (500 if 8 <= index * hours % 24 < 18 else 0) for index in range(count)]
        assert not forecast(read(noisy(round_), hours * HOUR)).leaks, count
