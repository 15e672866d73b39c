from __future__ import annotations

import datetime as dt
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memrunbook.core.schedule import (
    LAST,
    LOOK_BACK,
    MOST_CAUGHT_UP,
    MOST_MISSED,
    Schedule,
    cron_problem,
    due,
    jitter_of,
    moments,
    next_firing,
    preview,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600.0, 86_400.0


def at(text: str) -> float:
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()


def night(**fields: object) -> Schedule:
    usual = {"name": "night", "zone": BERLIN, "cron": "30 2 * * *", "jitter": 0.0}
    return Schedule(**{**usual, **fields})  # type: ignore[arg-type]


def often(**fields: object) -> Schedule:
    return Schedule(**{"name": "often", "zone": dt.UTC, "every": 600.0, "jitter": 0.0, **fields})  # type: ignore[arg-type]


def local(schedule: Schedule, start: str, count: int) -> list[tuple[str, str]]:
    found = preview(schedule, at(start), count)
    return [(dt.datetime.fromtimestamp(one.nominal, schedule.zone).strftime("%d %H:%M%z"), one.oddity) for one in found]


@pytest.mark.parametrize(
    ("zone", "cron", "start", "expected"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-03-28", [
            ("28 02:30+0100", ""), ("29 03:00+0200", "moved"), ("30 02:30+0200", "")
        ]),
        ("Europe/Berlin", "0,30 2 * * *", "2026-03-28T12:00", [("29 03:00+0200", "moved"), ("30 02:00+0200", "")]),
        ("Europe/Berlin", "*/30 * * * *", "2026-03-29T00:30", [
            ("29 01:30+0100", ""), ("29 03:00+0200", ""), ("29 03:30+0200", "")
        ]),
        ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", [("25 02:30+0200", "first"), ("26 02:30+0100", "")]),
        ("Europe/Berlin", "30 * * * *", "2026-10-24T23:50", [
            ("25 02:30+0200", "first"), ("25 02:30+0100", "again"), ("25 03:30+0100", "")
        ]),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03", [("04 02:30+1100", "moved"), ("05 02:15+1100", "")]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04", [("05 01:45+1100", "first"), ("06 01:45+1030", "")]),
        ("Asia/Kathmandu", "15 0 * * *", "2026-01-01T19:00", [("03 00:15+0545", "")]),
        ("America/St_Johns", "30 2 * * *", "2026-03-08", [("08 03:00-0230", "moved"), ("09 02:30-0230", "")]),
        ("America/Havana", "0 0 * * *", "2026-03-07T12:00", [("08 01:00-0400", "moved"), ("09 00:00-0400", "")]),
        ("America/Santiago", "* 0 * * *", "2026-09-05T22:00", [("07 00:00-0300", "")]),
        ("UTC", "30 2 * * *", "2026-03-29", [("29 02:30+0000", "")]),
    ],
)  # fmt: skip
def test_days_on_which_clocks_change(zone: str, cron: str, start: str, expected: list[tuple[str, str]]) -> None:
    assert local(night(zone=ZoneInfo(zone), cron=cron), start, len(expected)) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"])
def test_a_line_with_a_star_follows_the_wall_all_year(zone: str) -> None:
    place = ZoneInfo(zone)
    begin, end = at("2026-01-01"), at("2027-01-01")
    wall = (dt.datetime.fromtimestamp(moment, place) for moment in range(int(begin), int(end), 300))
    wanted = [one.timestamp() for one in wall if one.minute == 5 and one.hour % 2 == 0]
    found = takewhile(lambda one: one.nominal < end, moments(night(zone=place, cron="5 */2 * * *"), begin - 1))
    assert [one.nominal for one in found] == wanted


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Pacific/Chatham"])
def test_a_fixed_time_fires_once_on_each_day_of_the_year(zone: str) -> None:
    place = ZoneInfo(zone)
    begin, end = at("2026-01-01"), at("2027-01-01")
    found = list(takewhile(lambda one: one.nominal < end, moments(night(zone=place, cron="15 2 * * *"), begin)))
    days = [dt.datetime.fromtimestamp(one.nominal, place).date() for one in found]
    assert len(days) == len(set(days)) == 365


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("61 * * * *", "no such minute"), ("* 24 * * *", "no such hour"), ("* * * * MOO", "no such day-of-week"),
        ("* * *", "3 fields"), ("* * * * * *", "6 fields"), ("@daily", "@"), ("0 0 30 2 *", "no such day-of-month"),
        ("5-1 * * * *", "no such minute"), ("*/0 * * * *", "no such minute"), ("0 0 LX * *", "no such day"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said(line: str, words: str) -> None:
    assert words in cron_problem(line)


@given(st.text("0123456789*/-,LW# MONJAN@", max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_line_is_judged_and_raises_nothing(line: str) -> None:
    if not cron_problem(line):
        assert next_firing(night(cron=line), 0.0) is not None


def test_jitter_is_the_same_for_whoever_asks_and_another_for_each_firing() -> None:
    found = [jitter_of(night(jitter=300.0), at("2026-01-01") + day * DAY) for day in range(50)]
    again = [jitter_of(night(jitter=300.0), at("2026-01-01") + day * DAY) for day in range(50)]
    assert found == again
    assert all(0 <= one <= 300 for one in found)
    assert len(set(found)) > 30
    assert jitter_of(night(name="other", jitter=300.0), at("2026-01-01")) != found[0]


def test_an_interval_is_anchored_whenever_somebody_looks() -> None:
    found = {one.nominal for late in range(0, 600, 7) for one in preview(often(), at("2026-01-01") + late, 2)}
    assert all(nominal % 600 == 0 for nominal in found)
    anchored = often(anchor=at("2026-01-01T00:07"), begins=at("2026-01-01T00:07"))
    assert [one.nominal - at("2026-01-01") for one in preview(anchored, 0.0, 2)] == [7 * 60, 17 * 60]


def test_it_fires_between_its_bounds_alone() -> None:
    bounded = night(begins=at("2026-01-02T01:30Z"), ends=at("2026-01-04T01:30Z"))
    assert [one.id for one in preview(bounded, 0.0, 9)] == ["night@2026-01-02T01:30:00Z", "night@2026-01-03T01:30:00Z"]
    assert next_firing(bounded, at("2026-01-03T01:30Z")) is None


def test_what_is_due_is_what_starts_between_two_looks() -> None:
    jittered = night(jitter=HOUR)
    (first,) = preview(jittered, at("2026-01-01T12:00"), 1)
    for before, after, count in ((first.starts - 1, first.starts, 1), (first.starts, first.starts + 9, 0)):
        assert len(due([jittered], {"night": before}, after)["night"].run) == count


def test_a_new_schedule_has_missed_nothing() -> None:
    assert due([night()], {}, at("2026-01-01")) == {}


@pytest.mark.parametrize(
    ("catch_up", "run", "missed"), [("none", [], 5), ("last", ["05"], 4), ("all", ["01", "02", "03", "04", "05"], 0)]
)
def test_missed_nights(catch_up: str, run: list[str], missed: int) -> None:
    found = due([night(catch_up=catch_up)], {"night": at("2026-01-01T01:00Z")}, at("2026-01-05T12:00Z"))["night"]
    assert [one.id[14:16] for one in found.run] == run
    assert len(found.missed) == missed


def test_within_its_grace_the_latest_still_runs() -> None:
    grace = night(misfire_grace=HOUR)
    found = due([grace], {"night": at("2026-01-01T01:00Z")}, at("2026-01-03T02:29Z"))["night"]
    assert [one.id for one in found.run] == ["night@2026-01-03T01:30:00Z"]
    assert len(found.missed) == 2
    assert not due([grace], {"night": at("2026-01-01T01:00Z")}, at("2026-01-03T02:31Z"))["night"].run


def test_a_long_silence_is_bounded() -> None:
    busy = often(every=60.0, catch_up="all")
    found = due([busy], {"often": at("2026-01-01")}, at("2026-12-01"))["often"]
    assert len(found.run) == MOST_CAUGHT_UP
    assert len(found.missed) == MOST_MISSED
    assert found.before + MOST_MISSED + MOST_CAUGHT_UP == LOOK_BACK / 60


@given(st.lists(st.floats(-3 * DAY, 3 * DAY), max_size=40), st.sampled_from(["none", "last", "all"]))
@settings(max_examples=60, deadline=None)
def test_a_clock_that_jumps_never_asks_for_one_twice_beyond_its_id(jumps: list[float], catch_up: str) -> None:
    """What a store that takes each id once would carry out: never two of one id, never more than the hours passed."""
    schedule, now, decided = often(every=HOUR, catch_up=catch_up), at("2026-06-01"), at("2026-06-01")
    ran: set[str] = set()
    for jump in jumps:
        now += jump
        found = due([schedule], {"often": decided}, now)["often"]
        decided = now
        assert all(one.starts <= now for one in found.run)
        assert len(found.run) <= MOST_CAUGHT_UP
        ran |= {one.id for one in found.run}
    assert len(ran) <= 40 * MOST_CAUGHT_UP
    assert due([schedule], {"often": now + 9 * DAY}, now)["often"].run == (), "a time in the future was a wrong clock's"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize(
    "when", [{"cron": "30 2 * * *"}, {"cron": "* * * * *"}, {"cron": "0 0 1 1 *"}, {"every": 60.0}]
)
def test_the_ends_of_the_calendar_are_no_accident(zone: str, when: dict[str, Any]) -> None:
    """Nothing fires where there are no dates any more, and who says so breaks nothing else."""
    place = ZoneInfo(zone)
    first, last = (dt.datetime(year, 1, 1, tzinfo=place).timestamp() for year in (1, 9999))
    end = dt.datetime(9999, 12, 31, 23, 59, tzinfo=place).timestamp()
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    for begins, ends, some in ((first, end, True), (end, None, False), (None, end, True), (None, first, False)):
        schedule = Schedule(name="x", zone=place, begins=begins, ends=ends, anchor=begins or 0.0, **when)
        assert bool(preview(schedule, now, 2)) == some
        assert (next_firing(schedule, now) is not None) == some
        assert due([schedule], {"x": now - 60}, now) is not None
    *_, newest = moments(Schedule(name="x", zone=place, **when), last - 800 * DAY if "1 1" in str(when) else last - DAY)
    assert newest.nominal < LAST
