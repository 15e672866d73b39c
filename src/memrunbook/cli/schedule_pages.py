"""What `runbook schedule` shows: pages for people, documents for programs."""

from __future__ import annotations

import datetime as dt
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.app.going_on import completed
from memrunbook.cli import exit_codes
from memrunbook.cli.next_command import kept_options
from memrunbook.core.errors import UsageError
from memrunbook.core.units import DAY, HOUR, MINUTE, format_duration
from memrunbook.documents.printed.schedule_firings import PrintedFiring, ScheduleFiringsDocument
from memrunbook.documents.printed.schedule_list import PrintedSchedule, ScheduleListDocument
from memrunbook.documents.printed.schedule_preview import PrintedMoment, SchedulePreviewDocument
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.schedules import FiringLine, ScheduleLine, firings_view, list_view, nothing_fires, preview_view

if TYPE_CHECKING:
    from memrunbook.app.scheduling import ListedSchedule
    from memrunbook.core.schedule import Moment
    from memrunbook.documents.schedules import ScheduledRun
    from memrunbook.state.store.firings import Firing
    from memrunbook.ui.block import Block

INTERVALS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"))
Previewed = Sequence[tuple["ScheduledRun", Sequence["Moment"]]]


def list_page(found: Sequence[ListedSchedule]) -> list[Block]:
    """The schedules."""
    now = SystemClock().now().utc
    return list_view([_line(one, now) for one in found])


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
                last=_firing(one.last) if one.last else None,
            )
            for one in found
        )
    )


def preview_pages(found: Previewed, broken: Collection[str]) -> Iterator[list[Block]]:
    """A page for each schedule; one that says so where nothing fires."""
    if not found:
        yield nothing_fires(broken=bool(broken))
    yield from (preview_view(job.name, job.zone, moments, job.schedule.zone) for job, moments in found)


def preview_document(found: Previewed) -> SchedulePreviewDocument:
    """All firings, schedule by schedule."""
    return SchedulePreviewDocument(
        firings=tuple(
            PrintedMoment(
                id=one.id,
                schedule=job.name,
                local=dt.datetime.fromtimestamp(one.nominal, job.schedule.zone).isoformat(),
                utc=_iso(one.nominal),
                jitter=one.starts - one.nominal,
                oddity=one.oddity,
            )
            for job, moments in found
            for one in moments
        )
    )


def firings_page(found: Sequence[Firing], words: Sequence[str]) -> list[Block]:
    """What became of firings; the `words` say where the state directory is."""
    reports = [completed(f"runbook report {one.run}", words) if one.run else "" for one in found]
    return firings_view(
        [
            FiringLine(one.id, one.state, _lasted(one), report, one.why, one.count)
            for one, report in zip(found, reports, strict=True)
        ]
    )


def firings_document(found: Sequence[Firing]) -> ScheduleFiringsDocument:
    """What became of firings."""
    return ScheduleFiringsDocument(firings=tuple(_firing(one) for one in found))


def program() -> str:
    """The absolute path of this command, as a unit needs it."""
    return str(Path(shutil.which(sys.argv[0]) or shutil.which("runbook") or sys.argv[0]).absolute())


def write_units(units: Mapping[str, str], *, write: bool) -> int:
    """Shows units and, where that was asked for, writes them; UsageError where that cannot be, or others are there."""
    from memrunbook.documents.systemd_units import FOLDER

    for name, text in units.items():
        click.echo(f"# {FOLDER / name}\n{text}")
    start = list(units)[-1]
    then = f"systemctl daemon-reload && systemctl enable --now {start}"
    if not write:
        click.echo(f"# Nothing was written. As root, with --write, they are; then: {then}")
        return exit_codes.OK
    for name, text in units.items():
        _write(FOLDER / name, text)
    click.echo(f"Written to {FOLDER}. Now: {then}")
    return exit_codes.OK


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    except OSError as error:
        hint = "write it as root: sudo runbook schedule install … --write"
        raise UsageError(f"the unit cannot be written: {error.strerror}", where=str(path), hint=hint) from None


def _line(one: ListedSchedule, now: float) -> ScheduleLine:
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
        hint=shlex.join([*shlex.split(one.hint), *kept_options()]) if one.state == "paused" else one.hint,
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


def _lasted(one: Firing) -> str:
    began = f"{dt.datetime.fromtimestamp(one.at, dt.UTC):%H:%M:%S} UTC"
    took = one.ended is not None and one.ended - one.at >= 1
    return f"{began}, took {format_duration((one.ended or one.at) - one.at)}" if took else began


def _firing(one: Firing) -> PrintedFiring:
    return PrintedFiring(
        id=one.id, schedule=one.schedule, nominal=one.nominal, state=one.state, at=one.at, ended=one.ended,
        owner=one.owner, run=one.run, why=one.why, count=one.count,
    )  # fmt: skip


def _iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat().replace("+00:00", "Z")
