"""What holds a firing back before anything is begun: a freeze, an event of a calendar, an alert that fires."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from msgspec import structs

from memrunbook.app.ruling import freeze_words
from memrunbook.core.errors import DocumentError, RunbookError
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.documents.config import Config
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.transports.shared.firing_alerts import firing_alerts

Asks = Callable[[str, str], tuple[str, ...]]
"""Which alerts fire on a server, by label matchers; RunbookError where that cannot be told."""


class HeldBack(NamedTuple):
    """Why a firing is not carried out: the state that it ends in, a sentence, and what helps."""

    state: str
    why: str
    hint: str = ""


def held_back(job: ScheduledRun, config: Config, now: float, asks: Asks = firing_alerts) -> HeldBack | None:
    """Why a schedule does nothing now; None where nothing stands against it. What cannot be told stands against it."""
    try:
        return _freeze(job, config, now) or _calendar(job, now) or _alert(job, asks)
    except DocumentError as error:
        first = error.problems[0]
        return HeldBack("blocked", f"{first.where}: {first.message}", first.hint)
    except RunbookError as error:
        return HeldBack("blocked", str(error), error.hint)


def missing_window(job: ScheduledRun, config: Config) -> tuple[str, str] | None:
    """The first freeze that a schedule names and config.yaml does not have, and what may be meant; None where none."""
    names = [window.name for window in config.freeze]
    for name in job.windows:
        if name not in names:
            near = get_close_matches(name, names, 1, 0.5)
            return name, f"did you mean {near[0]}?" if near else "an iCalendar file ends in .ics"
    return None


def _freeze(job: ScheduledRun, config: Config, now: float) -> HeldBack | None:
    if (missing := missing_window(job, config)) is not None:
        return HeldBack("blocked", f"not_during: config.yaml has no freeze {missing[0]}; {missing[1]}")
    for window in config.freeze:
        until = _anywhere(window).until("", now) if window.name in job.windows else None
        if until is not None:
            return HeldBack("frozen", freeze_words(window, until, now))
    return None


def _anywhere(window: FreezeWindow) -> FreezeWindow:
    return structs.replace(window, hosts="*")


def _calendar(job: ScheduledRun, now: float) -> HeldBack | None:
    if not job.calendars:
        return None
    from memrunbook.documents.calendars import entry_now

    for path in job.calendars:
        if event := entry_now(path, now, job.schedule.zone):
            return HeldBack("frozen", f"{path} has now: {event}")
    return None


def _alert(job: ScheduledRun, asks: Asks) -> HeldBack | None:
    alerts = asks(job.prometheus, job.alerts) if job.prometheus else ()
    return HeldBack("alerting", f"alerts fire: {', '.join(alerts[:5])}") if alerts else None
