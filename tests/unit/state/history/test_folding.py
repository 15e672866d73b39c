"""What is old becomes hours and is then forgotten, however the clock goes."""

from __future__ import annotations

import pytest
from tests.unit.state.history.pasts import NOW, Time, one, points, reading

from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY, HOUR, MINUTE
from memrunbook.state.history.past import StoredPast


def test_old_points_are_hours_and_then_forgotten(past: StoredPast, time: Time) -> None:
    begin = NOW - NOW % HOUR
    for minute in range(0, 120, 5):
        time.at = begin + minute * MINUTE
        past.remember([reading(float(minute), time.at)])
    assert len(points(past)) == 24
    time.at = begin + 14 * DAY + 2 * HOUR
    past.remember([reading(7.0, time.at)])
    assert len(points(past)) == 25  # one reading does not say that so much time has passed: its clock may be wrong
    time.at += 2 * DAY
    past.remember([reading(9.0, time.at)])
    later = [(begin + 14 * DAY + 2 * HOUR, 7.0), (time.at, 9.0)]
    assert points(past) == [(begin + 1800, 27.5), (begin + 5400, 87.5), *later]
    _, extents = past.told("web", "m1", 0.0)
    assert [(extent.name, extent.least, extent.most) for extent in extents] == [("api", 0.0, 115.0)]
    for day in (400, 402):
        time.at = begin + day * DAY
        past.remember([reading(8.0, time.at)])
    assert points(past)[-1] == (time.at, 8.0)
    assert [value for _, value in points(past)] == [7.0, 9.0, 8.0, 8.0]


def test_processes_are_not_kept_as_hours(past: StoredPast, time: Time) -> None:
    kinds: tuple[Kind, ...] = ("process", "unit")
    past.keep("web", "m1", [Series(kind, "p:1", "f", (Observation(NOW, 1.0),)) for kind in kinds])
    for _ in range(2):
        time.at += 15 * DAY
        past.keep("web", "m1", [one(2.0, time.at)])
    assert {series.kind for series in past.series("web", "m1", 0.0)} == {"unit"}


def test_series_that_have_no_points_any_more_are_forgotten_and_their_numbers_given_again(
    past: StoredPast, time: Time
) -> None:
    for day in range(60):
        time.at = NOW + day * DAY
        past.keep("web", "m1", [Series("process", f"p:{day}", "f", (Observation(time.at, float(day)),))])
    with past.database.reading() as rows:
        ((count, highest),) = rows.all("SELECT COUNT(*), MAX(slot) FROM history_series")
    assert count <= 20
    assert highest <= 21
    assert [series.points[0].value for series in past.series("web", "m1", 0.0) if series.name == "p:59"] == [59.0]


def test_a_host_that_nobody_reads_any_more_is_forgotten_too(past: StoredPast, time: Time) -> None:
    past.remember([reading(1.0)])
    for day in (16, 17, 420, 421, 422):
        time.at = NOW + day * DAY
        past.remember([reading(2.0, time.at, "db", "m2")])
    assert past.hosts() == ("db",)


def test_a_clock_that_is_ahead_for_a_while_spoils_nothing(past: StoredPast, time: Time) -> None:
    for hour in range(3 * 24):
        time.at = NOW + hour * HOUR
        past.remember([reading(float(hour), time.at), reading(1.0, time.at, "gone", "m2")])
    before, right = points(past), time.at
    for step in range(20):
        time.at = right + 365 * DAY + step * HOUR
        past.remember([reading(-1.0, time.at), reading(-1.0, time.at, "new", "m3")])
    time.at = right + HOUR
    past.remember([reading(99.0, time.at)])
    assert points(past) == [*before, (time.at, 99.0)]
    assert len(points(past, "gone")) == len(before)
    for step in range(1, 30):
        time.at = right + HOUR + step * 5 * MINUTE
        past.remember([reading(float(step), time.at)])
    assert len(points(past)) == len(before) + 30


def test_what_a_clock_made_hours_that_was_ahead_for_days_is_the_last_that_it_spoils(
    past: StoredPast, time: Time
) -> None:
    for day in (0, 40, 50):
        time.at = NOW + day * DAY
        past.remember([reading(float(day), time.at)])
    for step in range(24):
        time.at = NOW + DAY + step * 5 * MINUTE
        past.remember([reading(100.0 + step, time.at)])
    assert [value for _, value in points(past)] == [0.0, *(100.0 + step for step in range(24))]
    for day in range(3, 30):  # from then on hours are made when it is time
        time.at = NOW + day * DAY
        past.remember([reading(7.0, time.at)])
    assert 2 <= len([value for _, value in points(past) if value >= 100.0]) <= 3


def test_a_clock_that_is_behind_spoils_nothing(past: StoredPast, time: Time) -> None:
    past.remember([reading(1.0)])
    time.at = 60.0
    past.remember([reading(2.0, 60.0)])
    assert points(past) == [(60.0, 2.0)]
    time.at = NOW + HOUR
    past.remember([reading(3.0, time.at)])
    assert [value for _, value in points(past) if value != 2.0] == [1.0, 3.0]


def test_an_hour_of_more_rows_than_a_write_folds_is_folded_whole(
    past: StoredPast, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memrunbook.state.history.folding.MOST_ROWS", 5)
    begin = NOW - NOW % HOUR
    many = tuple(Observation(begin + minute * MINUTE, float(minute)) for minute in range(60))
    past.keep("web", "m1", [Series("unit", "api", "units.own_bytes", many)])
    for day in (13, 15, 17):
        time.at = NOW + day * DAY
        past.keep("web", "m1", [one(-1.0, time.at)])
    assert points(past)[0] == (begin + 1800, 29.5)
    assert past.told("web", "m1", 0.0)[1][0].most == 59.0
