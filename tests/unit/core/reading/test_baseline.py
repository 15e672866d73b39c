"""What is usual, where it goes, how much room that leaves."""

from __future__ import annotations

import random

from memrunbook.core.reading.baseline import (
    AVAILABLE,
    USED,
    Baseline,
    HostPast,
    baseline,
    course,
    headroom,
    risen,
    used_of,
)
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import DAY

GIB = 1 << 30


def series(*values: float, every: float = 3600.0, limit: float | None = None, life: str = "a") -> Series:
    points = tuple(Observation(number * every, value, life, limit) for number, value in enumerate(values))
    return Series("host", "", AVAILABLE, points)


def known(found: Series) -> Baseline:
    values = [point.value for point in found.points]
    return baseline(found, min(values), max(values), 4)


def test_the_usual_figures() -> None:
    found = baseline(series(*map(float, range(101))), -5.0, 200.0, 4)
    assert (found.now, found.median, found.p95, found.least, found.peak) == (100.0, 50.0, 95.0, -5.0, 200.0)
    assert (found.points, found.since, found.until) == (101, 0.0, 360_000.0)
    assert found.course == (12.0, 37.0, 62.0, 87.5)


def test_one_point_is_enough() -> None:
    found = known(series(7.0))
    assert (found.now, found.median, found.p95, found.peak, found.per_day, found.begun) == (7.0, 7.0, 7.0, 7.0, 0.0, ())


def test_a_rise_beyond_chance_is_a_trend_and_noise_is_none() -> None:
    noise = random.Random(1)
    flat = [100.0 + noise.random() for _ in range(300)]
    assert known(series(*flat)).per_day == 0.0
    rising = [value + number / 24 for number, value in enumerate(flat)]
    assert 0.9 < known(series(*rising)).per_day < 1.1
    assert -1.1 < known(series(*reversed(rising))).per_day < -0.9


def test_a_steady_rise_of_next_to_nothing_is_no_trend() -> None:
    assert known(series(*(1e9 + number for number in range(300)))).per_day == 0.0


def test_new_runs_of_the_holder_are_told() -> None:
    lives = ["a", "a", "b", "", "b", "c"]
    points = tuple(Observation(float(number), 1.0, life) for number, life in enumerate(lives))
    assert known(Series("unit", "x", "units.own_bytes", points)).begun == (2.0, 5.0)
    unread = tuple(Observation(float(number), 1.0, life) for number, life in enumerate(["", "a", "", "a", "", "b"]))
    assert known(Series("unit", "x", "units.own_bytes", unread)).begun == (5.0,)


def test_what_is_used_is_the_limit_less_what_is_available() -> None:
    used = used_of(series(10.0, 30.0, limit=40.0))
    assert (used.figure, [point.value for point in used.points]) == (USED, [30.0, 10.0])
    assert used_of(series(10.0)).points == ()


def test_headroom_is_what_is_left_when_the_host_is_busy() -> None:
    def room(used: float, hours: int = 30) -> tuple[str, float | None]:
        found = headroom(known(series(*[used] * hours, limit=100.0)))
        return found.room, found.percent

    assert room(70.0) == ("enough", 30.0)
    assert room(71.0) == ("just enough", 29.0)
    assert room(81.0) == ("too little", 19.0)
    assert room(50.0, hours=24) == ("not known yet", None)
    assert headroom(known(series(*[1.0] * 60, every=60.0, limit=100.0))).percent is None
    assert headroom(known(series(1.0, every=DAY))).percent is None


def test_points_count_by_the_time_that_they_stand_for() -> None:
    hours = [Observation(number * 3600.0, 85.0 if number % 12 == 0 else 10.0, "a", 100.0) for number in range(76 * 24)]
    last = hours[-1].at
    minutes = [Observation(last + number * 300.0, 10.0, "a", 100.0) for number in range(1, 14 * 288)]
    mixed = known(Series("host", "", USED, (*hours, *minutes)))
    even = [*hours, *(point for number, point in enumerate(minutes, 1) if number % 12 == 0)]
    assert mixed.p95 == known(Series("host", "", USED, tuple(even))).p95 == 85.0
    assert headroom(mixed).room == "too little"
    assert mixed.median == 10.0


def test_a_gap_counts_as_an_hour_and_two_points_at_one_time_both_count() -> None:
    rare = [Observation(number * DAY, float(number), "a") for number in range(11)]
    assert known(Series("host", "", USED, tuple(rare))).median == 5.0
    twice = tuple(Observation(0.0, value, "a") for value in (1.0, 3.0))
    assert known(Series("host", "", USED, twice)).median == 2.0


def test_a_part_of_the_course_is_the_mean_of_its_time() -> None:
    minutes = [Observation(7200.0 + number * 300.0, 0.0) for number in range(1, 13)]
    points = [Observation(0.0, 12.0), Observation(3600.0, 12.0), Observation(7200.0, 12.0), *minutes]
    (mean,) = course(points, 0.0, 10800.0, 1)
    assert mean is not None
    assert 8.5 < mean < 9.5


def test_a_counter_begins_anew_with_its_holder() -> None:
    counts = ((3.0, "a"), (5.0, "a"), (1.0, "b"), (1.0, "b"), (0.0, "b"))
    points = tuple(Observation(float(number), value, life) for number, (value, life) in enumerate(counts))
    assert risen(Series("host", "", "vmstat.oom_kills", points)) == 3


def test_a_host_of_which_nothing_is_known() -> None:
    past = HostPast("web")
    assert (past.used, past.left) == (None, None)
    used = known(used_of(series(*[5.0 * GIB] * 40, limit=10.0 * GIB)))
    past = HostPast("web", headroom(used), 0, (), (used,))
    assert (past.used, past.left) == (used, 50.0)
