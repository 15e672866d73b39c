"""Reads iCalendar files: whether something stands in them now. What cannot be read is an error, never an empty day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.named_file import read_named

LARGEST = 4 << 20
SHOWN = 80
EXTRA = "pip install 'memrunbook[calendar]'"


def entry_now(path: Path, now: float, zone: dt.tzinfo) -> str:
    """The summary of an event that is going on (seconds since 1970), empty where none is.

    A time without a zone, and a whole day, is one of `zone`. DocumentError for a file that cannot be read or has a
    series that cannot, UsageError where the libraries are missing.
    """
    try:
        import icalendar
        import recurring_ical_events
    except ImportError:
        hint = f"{EXTRA}; or name a freeze of config.yaml"
        raise UsageError("calendars need two libraries more", where=str(path), hint=hint) from None
    try:
        text = read_named(path, LARGEST)
    except OSError as error:
        why = f"the calendar cannot be read: {error.strerror}"
        raise DocumentError([Problem(str(path), why, "check the path")]) from None
    moment = dt.datetime.fromtimestamp(now, zone)
    try:
        calendar = icalendar.Calendar.from_ical(text)
        found = recurring_ical_events.of(calendar).at(moment)
        names = [str(one.get("SUMMARY", "")) for one in found if str(one.get("STATUS", "")).upper() != "CANCELLED"]
    except Exception as error:  # noqa: BLE001  whatever the two libraries make of a broken file
        why = f"this is no calendar that can be read: {clean(str(error), SHOWN)}"
        raise DocumentError([Problem(str(path), why, "export it anew as iCalendar (.ics)")]) from None
    return next((clean(name, SHOWN) or "an event" for name in names), "")
