"""When a record was written: the kernel's clock and the date, in the many fields and forms of collectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Pairs = Mapping[str, Any]
MICROSECONDS = 1_000_000
_CLOCKS = ("_SOURCE_MONOTONIC_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_SOURCE_BOOTTIME_TIMESTAMP")
_DATES = (
    "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "@timestamp", "timestamp", "time", "ts", "date", "datetime",
    "eventTime", "TimeGenerated", "timeUnixNano", "observedTimeUnixNano", "receiveTimestamp", "_time", "ingestionTime",
    "timeMillis", "created",
)  # fmt: skip
_UPTIME = ("time", "ts", "monotonic", "uptime", "timestamp")
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))
"""Numbers above the first are seconds since 1970 times the second: nano, micro, milli, whole ones."""
OLDEST_UPTIME = 1e8
"""Seconds; no host is up for three years, and no record is older than 1973."""
LATEST = 2.5e11


def printed(fields: Pairs) -> tuple[str, float | None]:
    """The date in a form that logs have, "" where it is none; the uptime in seconds."""
    return next((date for name in _DATES if (date := _date(fields.get(name)))), ""), uptime(fields)


def uptime(fields: Pairs) -> float | None:
    """The kernel's clock in seconds."""
    for name in _CLOCKS:
        value = _number(fields.get(name))
        if value is not None:
            return value / MICROSECONDS
    seconds = _number(fields.get("sec"))
    if seconds is not None and seconds < OLDEST_UPTIME:  # the input of fluent-bit that reads /dev/kmsg
        return seconds + (_number(fields.get("usec")) or 0.0) / MICROSECONDS
    values = (_number(fields.get(name)) for name in _UPTIME)
    return next((value for value in values if value is not None and 0 <= value < OLDEST_UPTIME), None)


def order(fields: Pairs) -> float | None:
    """What orders a record among others of its kind."""
    dated = (_since(fields.get(name)) for name in _DATES)
    return next((when for when in dated if when is not None), uptime(fields))


def _date(value: object) -> str:
    when = _since(value)
    if when is None:
        return ""
    if isinstance(value, str) and not value.strip().isdecimal():
        date, _, clock = value.strip().removesuffix(" UTC").replace("T", " ", 1).partition(" ")
        text = f"{date}T{clock.replace(' ', '')}"
        return text + "Z" if value.strip().endswith(" UTC") else text
    return datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")


def _since(value: object) -> float | None:
    """Seconds since 1970, None where it is no date."""
    number = _number(value)
    if number is not None:
        scale = next((scale for least, scale in _SCALES if number >= least), None)
        return None if scale is None or number / scale > LATEST else number / scale
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> float | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and len(value) <= 24 and value.strip().replace(".", "", 1).isdecimal():  # noqa: PLR2004
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e30 and not math.isnan(value) else None  # noqa: PLR2004
