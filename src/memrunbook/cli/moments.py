"""Reads moments and outcomes from the command line."""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from typing import get_args

from memrunbook.core.errors import UsageError
from memrunbook.core.run.report import Reported
from memrunbook.core.units import parse_duration
from memrunbook.runtime.clock import SystemClock

OUTCOMES = tuple(word for part in get_args(Reported) for word in (get_args(part) or (part,)))


def moment(text: str | None, option: str) -> float | None:
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
        raise UsageError(f"{text!r} is no time", where=option, hint=hint) from None
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()


def refuse_unknown_outcome(word: str) -> None:
    """UsageError for a word that no run can end with."""
    if word and word not in OUTCOMES:
        close = get_close_matches(word, OUTCOMES, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(OUTCOMES)}"
        raise UsageError(f"no run ends as {word!r}", where="--outcome", hint=hint)
