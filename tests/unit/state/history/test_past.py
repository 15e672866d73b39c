"""The same tests for the file and for a real PostgreSQL server."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.unit.state.history.pasts import NOW, Time, one, points, reading

from memrunbook.core.reading.baseline import KILLS
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import DAY, HOUR
from memrunbook.state.history.file import HistoryFile
from memrunbook.state.history.past import StoredPast


def test_what_was_kept_is_known(past: StoredPast) -> None:
    past.keep("web", "m1", [one(5.0, NOW - 60, "a", limit=9.0), one(7.0, NOW, "b")])
    assert past.series("web", "m1", 0.0) == (
        Series(
            "unit",
            "api",
            "units.own_bytes",
            (Observation(NOW - 60, 5.0, "a", 9.0), Observation(NOW, 7.0, "b")),
        ),
    )
    assert points(past, since=NOW - 1) == [(NOW, 7.0)]
    assert past.series("other", "", 0.0) == past.series("other", "m2", 0.0) == ()


def test_the_same_again_changes_nothing(past: StoredPast) -> None:
    for _ in range(2):
        past.keep("web", "m1", [one(5.0, NOW - 60), one(6.0, NOW - 40 * DAY)])
    past.keep("web", "m1", [one(8.0, NOW - 60), one(9.0, NOW - 40 * DAY)])
    assert [value for _, value in points(past)] == [6.0, 5.0]


def test_another_figure_of_the_same_moment_is_added(past: StoredPast) -> None:
    past.keep("web", "m1", [one(5.0)])
    past.keep("web", "m1", [one(6.0, name="db")])
    assert {series.name: series.points[0].value for series in past.series("web", "m1", 0.0)} == {"api": 5.0, "db": 6.0}


def test_a_machine_has_one_history_under_all_its_names(past: StoredPast) -> None:
    past.keep("web", "m1", [one(1.0, NOW - 3)])
    past.keep("10.0.0.7", "m1", [one(2.0, NOW - 2)])
    past.keep("web", "", [one(3.0, NOW - 1)])
    assert [value for _, value in points(past, "10.0.0.7", "m1")] == [1.0, 2.0]
    assert [value for _, value in points(past, "web", "m1")] == [1.0, 2.0, 3.0]
    assert [value for _, value in points(past, "10.0.0.7")] == [1.0, 2.0]
    assert past.hosts() == ("10.0.0.7", "web")


def test_a_host_that_was_set_up_anew_is_told_from_its_old_machine(past: StoredPast) -> None:
    past.keep("web", "m1", [one(1.0, NOW - 3)])
    past.keep("web", "m2", [one(2.0, NOW - 2)])
    assert [value for _, value in points(past, "web", "m2")] == [2.0]
    assert [value for _, value in points(past, "web")] == [1.0, 2.0]


def test_readings_are_kept_no_closer_than_a_minute(past: StoredPast) -> None:
    assert past.remember([reading(1.0), reading(1.0, host="db", machine="m2")]) == 2
    assert past.remember([reading(2.0, NOW + 59), reading(2.0, NOW + 61, "db", "m2")]) == 1
    assert past.remember([reading(3.0, NOW + 60)]) == 1
    assert past.remember([reading(9.0, NOW + 59)]) == 0  # read before the newest, and kept after it
    assert past.remember([reading(4.0, NOW - HOUR)]) == 1  # the clock was set back
    assert [value for _, value in points(past)] == [4.0, 1.0, 3.0]


def test_points_of_the_past_that_arrive_late_go_to_their_resolution(past: StoredPast) -> None:
    past.keep("web", "m1", [one(9.0)])
    hour = NOW - NOW % HOUR - 30 * DAY
    late = tuple(Observation(hour + minute * 60, float(minute)) for minute in range(0, 60, 10))
    past.keep("web", "m1", [Series("unit", "api", "units.own_bytes", late)])
    past.keep("web", "m1", [one(3.0, NOW - 400 * DAY), one(4.0, NOW - 13 * DAY)])
    assert points(past) == [(hour + 1800, 25.0), (NOW - 13 * DAY, 4.0), (NOW, 9.0)]


def test_a_point_that_another_record_tells_of_another_life_is_the_same_point(past: StoredPast) -> None:
    for life in ("since 0", "since 5"):
        past.keep("web", "m1", [one(1.0, NOW - 60, life), one(2.0, NOW - 40 * DAY, life)])
    assert [value for _, value in points(past)] == [2.0, 1.0]


def test_hours_hold_the_last_of_a_counter(past: StoredPast) -> None:
    hour = NOW - NOW % HOUR - 30 * DAY
    counted = tuple(Observation(hour + minute * 60, minute * 1.0, "a") for minute in (0, 30, 50))
    past.keep("web", "m1", [Series("host", "", KILLS, counted)])
    assert points(past) == [(hour + 1800, 50.0)]


def test_nonsense_is_left_out(past: StoredPast) -> None:
    past.keep("web", "m1", [one(float("nan")), one(float("inf"), name="b"), one(1e300, name="c"), one(1.0, name="d")])
    assert [series.name for series in past.series("web", "m1", 0.0)] == ["d"]


def test_many_that_write_at_once_lose_nothing(past: StoredPast) -> None:
    failed: list[Exception] = []

    def write(number: int) -> None:
        try:
            for step in range(5):
                past.keep("web", "m1", [one(1.0, NOW + number * 100 + step, name=f"unit-{number}")])
        except Exception as error:  # noqa: BLE001  told below
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(points(past)) == 30


def test_how_long_is_set(tmp_path: Path, time: Time) -> None:
    past = StoredPast(HistoryFile(tmp_path / "h.sqlite", time), time, Keeping(fine=DAY, coarse=3 * DAY, apart=600))
    past.remember([reading(1.0), reading(2.0, NOW + 300)])
    time.at += 2 * DAY
    past.remember([reading(3.0, time.at)])
    assert [value for _, value in points(past)] == [1.0, 3.0]
    time.at += 2 * DAY
    past.remember([reading(4.0, time.at)])
    assert [value for _, value in points(past)] == [3.0, 4.0]
