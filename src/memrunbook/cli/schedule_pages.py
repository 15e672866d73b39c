"""What `runbook schedule` shows: pages for people, documents for programs."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.app.going_on import completed
from memrunbook.app.shown_schedules import firing_printed
from memrunbook.cli import exit_codes
from memrunbook.core.errors import UsageError
from memrunbook.core.units import format_duration
from memrunbook.documents.printed.schedule_firings import ScheduleFiringsDocument
from memrunbook.documents.printed.schedule_preview import PrintedMoment, SchedulePreviewDocument
from memrunbook.ui.schedules import FiringLine, firings_view, nothing_fires, preview_view

if TYPE_CHECKING:
    from memrunbook.core.schedule import Moment
    from memrunbook.documents.schedules import ScheduledRun
    from memrunbook.state.store.firings import Firing
    from memrunbook.ui.block import Block

Previewed = Sequence[tuple["ScheduledRun", Sequence["Moment"]]]


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
    return ScheduleFiringsDocument(firings=tuple(firing_printed(one) for one in found))


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


def _lasted(one: Firing) -> str:
    began = f"{dt.datetime.fromtimestamp(one.at, dt.UTC):%H:%M:%S} UTC"
    took = one.ended is not None and one.ended - one.at >= 1
    return f"{began}, took {format_duration((one.ended or one.at) - one.at)}" if took else began


def _iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat().replace("+00:00", "Z")
