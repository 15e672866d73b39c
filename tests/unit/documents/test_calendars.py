"""What stands in a calendar now: in whose time, until when, and that what is cancelled holds nothing."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.documents.calendars import LARGEST, entry_now

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(folder: Path, *lines: str) -> Path:
    event = ["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
    path = folder / "days.ics"
    path.write_text("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *event, "END:VCALENDAR", ""]))
    return path


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("lines", "inside", "outside"),
    [
        # a time without a zone is that of the schedule's place: 2:00 there is 1:00 UTC
        (("DTSTART:20260105T020000", "DTEND:20260105T030000"), "2026-01-05T01:30Z", "2026-01-05T02:30Z"),
        # a whole day, too: it begins at 23:00 UTC of the day before
        (("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260106"), "2026-01-04T23:30Z", "2026-01-05T23:30Z"),
        (("DTSTART:20260105T020000Z", "DTEND:20260105T030000Z"), "2026-01-05T02:00Z", "2026-01-05T03:00Z"),
    ],
)
def test_it_stands_there_in_its_own_time(tmp_path: Path, lines: tuple[str, ...], inside: str, outside: str) -> None:
    path = calendar(tmp_path, "SUMMARY:Stocktaking", *lines)
    assert entry_now(path, at(inside), BERLIN) == "Stocktaking"
    assert entry_now(path, at(outside), BERLIN) == ""


def test_what_is_cancelled_is_none_and_what_has_no_name_is_one(tmp_path: Path) -> None:
    when = ("DTSTART:20260105T020000Z", "DTEND:20260105T030000Z")
    now = at("2026-01-05T02:30Z")
    assert entry_now(calendar(tmp_path, "SUMMARY:Off", "STATUS:CANCELLED", *when), now, BERLIN) == ""
    assert entry_now(calendar(tmp_path, *when), now, BERLIN) == "an event"
    hostile = entry_now(calendar(tmp_path, f"SUMMARY:\x1b[31m{'x' * 60}", *when), now, BERLIN)
    assert "\x1b" not in hostile


def test_a_file_that_is_too_large_or_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "days.ics"
    with pytest.raises(DocumentError) as gone:
        entry_now(path, 0.0, BERLIN)
    path.write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(DocumentError) as large:
        entry_now(path, 0.0, BERLIN)
    said = [one.value.problems[0].message for one in (gone, large)]
    assert said == [
        "the calendar cannot be read: No such file or directory",
        "the calendar cannot be read: it is larger than 4 MiB, which no such file is",
    ]


def test_without_the_libraries_it_says_what_installs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "recurring_ical_events", None)
    with pytest.raises(UsageError, match="two libraries more") as error:
        entry_now(calendar(tmp_path), 0.0, BERLIN)
    assert "memrunbook[calendar]" in error.value.hint
