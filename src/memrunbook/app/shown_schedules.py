"""What is told of schedules: the document, and each with its next and its last firing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from memrunbook.core.units import DAY, HOUR, MINUTE, format_duration
from memrunbook.documents.printed.schedule_firings import PrintedFiring
from memrunbook.documents.printed.schedule_list import PrintedSchedule, ScheduleListDocument
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.schedules import ScheduleLine, list_view

if TYPE_CHECKING:
    from memrunbook.app.scheduling import ListedSchedule
    from memrunbook.core.schedule import Moment
    from memrunbook.documents.schedules import ScheduledRun
    from memrunbook.state.store.firings import Firing
    from memrunbook.ui.block import Block

INTERVALS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"))


def list_page(found: Sequence[ListedSchedule], typed: Callable[[str], str]) -> list[Block]:
    """The schedules; a command of a hint becomes what is `typed` here."""
    now = SystemClock().now().utc
    return list_view([_line(one, now, typed) for one in found])


def list_document(found: Sequence[ListedSchedule]) -> ScheduleListDocument:
    """The schedules."""
    return ScheduleListDocument(
        schedules=tuple(
            PrintedSchedule(
                name=one.name,
                state=one.state,
                why=one.why,
                hint=one.hint,
                runbook=one.job.runbook if one.job else "",
                hosts=one.job.hosts if one.job else (),
                mode=("run" if one.job.acts else "plan") if one.job else "",
                next=one.next.starts if one.next else None,
                last=firing_printed(one.last) if one.last else None,
            )
            for one in found
        )
    )


def _line(one: ListedSchedule, now: float, typed: Callable[[str], str]) -> ScheduleLine:
    job = one.job
    timing = "" if job is None else f'cron "{job.schedule.cron}" {job.zone}' if job.schedule.cron else _every(job)
    does = "" if job is None else f"{'runs' if job.acts else 'plans'} {job.runbook} on {', '.join(job.hosts)}"
    if job is not None and job.acts:
        beyond = f", and {', '.join(job.allow)}" if job.allow else ""
        does += f", up to risk {job.max_risk.word}{beyond}"
    last = one.last
    return ScheduleLine(
        name=one.name,
        state=one.state,
        timing=timing,
        does=does,
        next="" if one.next is None or job is None else _coming(one.next, job, now),
        last="" if last is None else _was(last, now),
        last_state="" if last is None else last.state,
        why=one.why,
        hint=typed(one.hint) if one.state == "paused" else one.hint,
    )


def _every(job: ScheduledRun) -> str:
    """As people write it: in the largest unit of which it is so many whole ones."""
    every = job.schedule.every
    size, unit = next((one for one in INTERVALS if every % one[0] == 0), (1.0, "s"))
    return f"every {every / size:g} {unit}"


def _coming(moment: Moment, job: ScheduledRun, now: float) -> str:
    here = dt.datetime.fromtimestamp(moment.starts, job.schedule.zone)
    return f"{here:%a %Y-%m-%d %H:%M:%S%z}, in {format_duration(max(0.0, moment.starts - now))}"


def _was(last: Firing, now: float) -> str:
    ago = f"{format_duration(max(0.0, now - last.at))} ago"
    run = f", run {last.run}" if last.run else ""
    return f"{ago}{run}{f': {last.why}' if last.why else ''}"


def firing_printed(one: Firing) -> PrintedFiring:
    """A firing of the document."""
    return PrintedFiring(
        id=one.id, schedule=one.schedule, nominal=one.nominal, state=one.state, at=one.at, ended=one.ended,
        owner=one.owner, run=one.run, why=one.why, count=one.count,
    )  # fmt: skip
