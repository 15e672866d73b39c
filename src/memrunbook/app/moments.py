"""Moments as people write them."""

from __future__ import annotations

import datetime as dt

from memrunbook.core.errors import UsageError
from memrunbook.core.units import parse_duration
from memrunbook.runtime.clock import SystemClock


def moment(text: str | None, where: str) -> float | None:
    """A moment in seconds since 1970: 2026-11-22, 2026-11-22T09:41 (UTC unless it says otherwise), or 7d ago."""
    if text is None:
        return None
    try:
        return SystemClock().now().utc - parse_duration(text)
    except ValueError:
        pass
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        hint = "write a day, a time, or how long ago: 2026-11-22, 2026-11-22T09:41, 7d"
        raise UsageError(f"{text!r} is no time", where=where, hint=hint) from None
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()
