"""Turns the switch: nothing is changed any more by whoever shares the store, or it may be again."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from memrunbook.app.braking import off_words
from memrunbook.app.stored import Stored
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.units import DAY, MINUTE, format_duration
from memrunbook.state.paths import prepare

if TYPE_CHECKING:
    from memrunbook.state.store.switch import Switch

LONGEST = 366 * DAY


def switch_off(stored: Stored, now: float, who: str, reason: str = "", seconds: float | None = None) -> Switch:
    """From now on nothing is changed by whoever shares the store, for `seconds` or until it is switched on.

    UsageError for a time that is none, Refused where changes are off for longer already: somebody meant that.
    """
    if seconds is not None and not MINUTE <= seconds <= LONGEST:
        hint = f"from {format_duration(MINUTE)} to {format_duration(LONGEST)}; without --for until: runbook on"
        raise UsageError(f"{format_duration(seconds)} is no time for that", where="--for", hint=hint)
    from memrunbook.state.store.switch import Switch, switch_of, turn

    switch = Switch(True, now, None if seconds is None else now + seconds, who, reason)
    prepare(stored.state)
    with closing(stored.open()) as store:
        before = switch_of(store)
        if before.holds(now) and switch.until is not None and (before.until is None or before.until > switch.until):
            longer = "without an end" if before.until is None else "for longer"
            raise Refused(
                f"{off_words(before, now)}: {longer}, and this would end that earlier",
                hint="leave it; or runbook on, then runbook off --for TIME",
            )
        turn(store, switch)
    return switch


def switch_on(stored: Stored, now: float, who: str) -> Switch:
    """Changes may be made again; the turn that stands where they may be made already."""
    from memrunbook.state.store.switch import Switch, switch_of, turn

    prepare(stored.state)
    with closing(stored.open()) as store:
        switch = switch_of(store)
        if switch.holds(now):
            turn(store, switch := Switch(False, now, None, who))
    return switch
