"""A moment is shown by the calendar and compared by the steady clock."""

from __future__ import annotations

from memrunbook.core.instant import Instant


def test_differences_are_those_of_the_steady_clock() -> None:
    early, late = Instant(utc=1000.0, monotonic=5.0), Instant(utc=900.0, monotonic=7.5)
    assert late.since(early) == 2.5


def test_an_earlier_moment_is_earlier_by_both_clocks() -> None:
    assert Instant(utc=1000.0, monotonic=5.0).earlier(1.5) == Instant(utc=998.5, monotonic=3.5)


def test_a_moment_is_written_as_utc_with_milliseconds() -> None:
    assert Instant(1_700_000_000.1239, 0.0).isoformat() == "2023-11-14T22:13:20.123Z"
    assert Instant(0.0, 0.0).isoformat() == "1970-01-01T00:00:00.000Z"
