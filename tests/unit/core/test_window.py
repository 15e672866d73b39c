"""A window of the day: over midnight, on its days, and in the nights on which clocks change."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest

from memrunbook.core.window import ServiceWindow

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


def window(**given: object) -> ServiceWindow:
    return msgspec.convert({"zone": "Europe/Berlin", **given}, ServiceWindow)


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("given", "now", "is_open", "hours"),
    [
        ({"from": "02:00", "until": "04:00"}, "2026-11-29 01:59", False, 1 / 60),
        ({"from": "02:00", "until": "04:00"}, "2026-11-29 02:00", True, 24),
        ({"from": "02:00", "until": "04:00"}, "2026-11-29 03:00", True, 23),
        ({"from": "02:00", "until": "04:00"}, "2026-11-29 04:00", False, 22),
        ({"from": "23:00", "until": "01:00"}, "2026-11-29 00:30", True, 22.5),  # began yesterday
        ({"from": "23:00", "until": "24:00"}, "2026-11-29 23:59", True, 23 + 1 / 60),
        ({"from": "02:00", "until": "04:00", "days": ["sun"]}, "2026-11-29 03:00", True, 7 * 24 - 1),
        ({"from": "02:00", "until": "04:00", "days": ["sun"]}, "2026-11-29 05:00", False, 7 * 24 - 3),
        ({"from": "23:00", "until": "01:00", "days": ["sat"]}, "2026-11-29 00:30", True, 7 * 24 - 1.5),
        ({"from": "02:00", "until": "04:00", "days": ["tue", "thu"]}, "2026-11-29 05:00", False, 24 + 21),
        ({"from": "00:00", "until": "24:00"}, "2026-11-29 12:00", True, 12),
        ({"from": "02:30", "until": "04:00"}, "2026-03-29 01:00", False, 1),  # 02:30 is not there: at 03:00
        ({"from": "02:30", "until": "04:00"}, "2026-10-25 01:00", False, 1.5),  # 02:30 is there twice: the first
        ({"from": "03:00", "until": "04:00"}, "2026-10-25 01:00", False, 3),
    ],
)
def test_it_is_open_or_says_when_it_opens(given: dict[str, object], now: str, is_open: object, hours: float) -> None:
    stands = window(**given).at(at(now))
    assert stands.is_open is is_open
    assert stands.opens_in == pytest.approx(hours * HOUR)


def test_it_reads_as_people_write_it() -> None:
    assert str(window(**{"from": "02:00", "until": "04:00", "days": ["tue", "thu"]})) == (
        "tue,thu 02:00-04:00 Europe/Berlin"
    )
    assert str(msgspec.convert({"from": "02:00", "until": "04:00"}, ServiceWindow)) == "02:00-04:00 UTC"


@pytest.mark.parametrize("clock", ["2:00", "24:30", "02:60", "0200", ""])
def test_no_time_of_the_day_is_refused(clock: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        window(**{"from": clock, "until": "04:00"})
