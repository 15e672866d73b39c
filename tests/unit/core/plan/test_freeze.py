"""Freeze windows: once and on days of the week, in the time of a place, on both days that clocks are moved."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.window import left_out, moment

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
EVERY_DAY = frozenset(range(7))


def utc(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def window(begin: int, end: int, *days: int, zone: str = BERLIN, hosts: str = "*") -> FreezeWindow:
    return FreezeWindow(
        name="nightly",
        where="config.yaml:3",
        zone=zone,
        begin=begin,
        end=end,
        days=frozenset(days) or EVERY_DAY,
        hosts=hosts,
    )


def until(one: FreezeWindow, now: str, host: str = "web-1") -> str | None:
    found = one.until(host, utc(now))
    return None if found is None else dt.datetime.fromtimestamp(found, dt.UTC).isoformat()[:16]


def test_a_window_that_is_once_holds_from_its_begin_until_right_before_its_end() -> None:
    once = FreezeWindow(
        name="year-end", where="", zone=BERLIN, begin=utc("2026-12-20T17:00"), end=utc("2027-01-03T05:00")
    )
    assert until(once, "2026-12-20T16:59:59") is None
    assert until(once, "2026-12-20T17:00") == "2027-01-03T05:00"
    assert until(once, "2027-01-03T04:59:59") == "2027-01-03T05:00"
    assert until(once, "2027-01-03T05:00") is None
    assert once.allowed_by == "freeze:year-end"


def test_a_window_is_for_the_hosts_of_its_pattern() -> None:
    trade = window(0, 24 * 60, hosts="trade-*")
    assert until(trade, "2026-06-01T12:00", "trade-7") == "2026-06-01T22:00"
    assert until(trade, "2026-06-01T12:00", "web-1") is None


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("2026-11-27T20:59", None),  # Friday, 21:59 in Berlin
        ("2026-11-27T21:00", "2026-11-28T05:00"),
        ("2026-11-28T04:59", "2026-11-28T05:00"),  # Saturday, from Friday on
        ("2026-11-28T05:00", None),
        ("2026-11-28T21:00", None),  # no window begins on a Saturday
        ("2026-11-27T04:00", None),  # nor on a Thursday
    ],
)
def test_one_over_midnight_belongs_to_the_day_on_which_it_begins(now: str, wanted: str | None) -> None:
    assert until(window(22 * 60, 6 * 60, 4), now) == wanted


def test_a_whole_day_ends_where_the_next_begins() -> None:
    sunday = window(0, 24 * 60, 6)
    assert until(sunday, "2026-11-28T23:00") == "2026-11-29T23:00"
    assert until(sunday, "2026-11-29T23:00") is None


@pytest.mark.parametrize(
    ("zone", "begin", "end", "now", "wanted"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC. 01:30 to 02:30 ends when clocks are put forward.
        (BERLIN, 90, 150, "2026-03-29T00:30", "2026-03-29T01:00"),
        (BERLIN, 90, 150, "2026-03-29T01:00", None),
        # 02:30 to 04:00 begins when they are.
        (BERLIN, 150, 240, "2026-03-29T00:59", None),
        (BERLIN, 150, 240, "2026-03-29T01:00", "2026-03-29T02:00"),
        # 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC: it begins at the first 02:30, and ends at the second.
        (BERLIN, 150, 240, "2026-10-25T00:29", None),
        (BERLIN, 150, 240, "2026-10-25T00:30", "2026-10-25T03:00"),
        (BERLIN, 60, 150, "2026-10-25T01:29", "2026-10-25T01:30"),
        (BERLIN, 60, 150, "2026-10-25T01:30", None),
        # New York, 8 March and 1 November 2026.
        (NEW_YORK, 90, 150, "2026-03-08T06:59", "2026-03-08T07:00"),
        (NEW_YORK, 90, 150, "2026-03-08T07:00", None),
        (NEW_YORK, 60, 120, "2026-11-01T06:59", "2026-11-01T07:00"),
        # Over midnight into either day.
        (BERLIN, 22 * 60, 6 * 60, "2026-03-29T03:59", "2026-03-29T04:00"),
        (BERLIN, 22 * 60, 6 * 60, "2026-10-25T04:59", "2026-10-25T05:00"),
        # A zone that keeps its time, and one that moves its clocks by half an hour.
        ("Asia/Kolkata", 0, 60, "2026-03-28T18:30", "2026-03-28T19:30"),
        ("Australia/Lord_Howe", 120, 180, "2026-04-04T15:00", None),
        ("Australia/Lord_Howe", 120, 180, "2026-04-04T15:30", "2026-04-04T16:30"),
    ],
)
def test_both_days_on_which_clocks_are_moved(zone: str, begin: int, end: int, now: str, wanted: str | None) -> None:
    assert until(window(begin, end, zone=zone), now) == wanted


def test_a_time_that_clocks_leave_out_is_known() -> None:
    zone, day = ZoneInfo(BERLIN), dt.date(2026, 3, 29)
    assert [left_out(day, minutes, zone) for minutes in (119, 120, 179, 180)] == [False, True, True, False]
    assert moment(day, 150, zone) == (utc("2026-03-29T01:00"), utc("2026-03-29T01:00"))
    assert not left_out(dt.date(2026, 10, 25), 150, zone)


@given(
    zone=st.sampled_from([BERLIN, NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    begin=st.integers(0, 24 * 60 - 1),
    end=st.integers(0, 24 * 60),
    now=st.integers(int(utc("2026-01-01T00:00")), int(utc("2027-01-01T00:00"))),
)
def test_a_window_holds_while_the_clocks_of_its_place_show_its_time(zone: str, begin: int, end: int, now: int) -> None:
    """Apart from the hour that they show twice: that belongs to the window as soon, and as long, as it can."""
    assume(begin != end)
    shown = dt.datetime.fromtimestamp(now, ZoneInfo(zone))
    assume(shown.utcoffset() == shown.replace(fold=1 - shown.fold).utcoffset())
    minutes = shown.hour * 60 + shown.minute
    wanted = begin <= minutes < end if begin < end else minutes >= begin or minutes < end
    assert (window(begin, end, zone=zone).until("web", now) is not None) is wanted
