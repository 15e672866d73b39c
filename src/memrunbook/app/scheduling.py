"""Schedules as people look at them: what is set, when it fires, what became of it, whether somebody schedules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memrunbook.app.judging_schedules import ScheduleJudge
from memrunbook.app.stored import Stored
from memrunbook.core.errors import DocumentError, Problem, RunbookError, UsageError
from memrunbook.core.run.notification import Notification
from memrunbook.core.schedule import Moment, next_firing, preview
from memrunbook.core.units import format_duration
from memrunbook.documents.library import Library, usual_library
from memrunbook.documents.schedules import ScheduledRun, Schedules
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.paths import prepare, usual_state_dir

if TYPE_CHECKING:
    # The database is loaded by whoever opens it.
    from memrunbook.state.store.changes import Store
    from memrunbook.state.store.firings import Firing, KeptSchedule

ScheduleState = Literal["active", "paused", "broken", "over"]
"""It fires when it is due; it waits for `schedule resume`; its entry cannot be used; it fires never again."""
SILENCE = 300.0
"""Seconds without a word of any scheduler, after which somebody is told."""
AGAIN = "systemctl status memrunbook, or: runbook schedule run"
LOST = "runbook schedule list"
FIRED = 1000
"""So many of the newest firings are looked at for schedules that are no more."""


@dataclass(frozen=True, kw_only=True)
class ScheduleArguments:
    """Where schedules.yaml lies, and what is kept of it; `inventory` counts where a schedule names none."""

    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    inventory: tuple[str, ...] = ()

    def schedules(self) -> Schedules:
        """The schedules of the file, those that cannot be used among the broken ones."""
        return ScheduleJudge(self.library, self.inventory).judged(self.library.schedules())


@dataclass(frozen=True, kw_only=True)
class ListedSchedule:
    """One schedule: how it stands and why, when it fires next (None: never), and what became of it last."""

    name: str
    state: ScheduleState
    why: str = ""
    hint: str = ""
    job: ScheduledRun | None = None
    next: Moment | None = None
    last: Firing | None = None


@dataclass(frozen=True, kw_only=True)
class SchedulerCheck:
    """Whether somebody schedules, `said` in a sentence.

    `owner` is the scheduler that was heard of last, if it is silent, `silence` for how many seconds; `tell` says so.
    `gone` are names of schedules that fired and that the file does not have any more: somebody took them out.
    """

    goes: bool
    said: str
    silence: float = 0.0
    owner: str = ""
    tell: tuple[Notification, ...] = ()
    gone: tuple[str, ...] = ()


def list_schedules(arguments: ScheduleArguments) -> tuple[ListedSchedule, ...]:
    """Every schedule of the file, the broken ones too; DocumentError where it cannot be read as a whole."""
    schedules, now = arguments.schedules(), SystemClock().now().utc
    kept: Mapping[str, KeptSchedule] = {}
    last: dict[str, Firing] = {}
    with _store(arguments) as store:
        if store is not None:
            from memrunbook.state.store import firings

            kept = firings.kept(store)
            for job in schedules.jobs:
                last |= {one.schedule: one for one in firings.firings(store, job.name, most=1)}
    usable = (_listed(job, kept.get(job.name), last.get(job.name), now) for job in schedules.jobs)
    return (*usable, *(_broken(name, problems[0]) for name, problems in schedules.broken.items()))


def preview_schedules(
    arguments: ScheduleArguments, name: str = "", after: float | None = None, count: int = 10
) -> tuple[tuple[ScheduledRun, tuple[Moment, ...]], ...]:
    """The next firings of one schedule or all; UsageError for a name that there is not."""
    schedules = arguments.schedules()
    jobs = [_named(schedules, name)] if name else schedules.jobs
    now = SystemClock().now().utc if after is None else after
    return tuple((job, tuple(preview(job.schedule, now, count))) for job in jobs)


def pause_schedule(arguments: ScheduleArguments, name: str, who: str, reason: str = "") -> None:
    """Nothing of a schedule is carried out until it is resumed; UsageError for a name that there is not.

    Without a reason one that is paused stays so for the reason that it has.
    """
    _check_name(arguments.library.schedules(), name)
    from memrunbook.state.store import firings

    why = f"by {who}{f': {reason}' if reason else ''}"
    with _made(arguments) as store:
        known = firings.kept(store).get(name)
        if reason or known is None or known.paused is None:
            firings.pause(store, name, SystemClock().now().utc, why)


def resume_schedule(arguments: ScheduleArguments, name: str) -> None:
    """It goes on with what is due from now on; UsageError for a name that there is not."""
    _check_name(arguments.library.schedules(), name)
    from memrunbook.state.store import firings

    with _made(arguments) as store:
        firings.resume(store, name, SystemClock().now().utc)


def list_firings(arguments: ScheduleArguments, name: str = "", most: int = 100) -> tuple[Firing, ...]:
    """What became of firings, the newest first; those of schedules that are no more too.

    UsageError for a name that neither a schedule nor a firing has.
    """
    found: tuple[Firing, ...] = ()
    with _store(arguments) as store:
        if store is not None:
            from memrunbook.state.store import firings

            found = firings.firings(store, name, most)
    if name and not found:
        _check_name(arguments.library.schedules(), name)
    return found


AHEAD = "at a time that is still to come: its clock was ahead, or this one is behind"


def check_scheduler(arguments: ScheduleArguments, silence: float = SILENCE) -> SchedulerCheck:
    """The dead man's switch: whether any scheduler was heard of within so many seconds. Its silence is marked as told.

    JournalError where the store cannot be asked.
    """
    found = look_for_scheduler(arguments, silence)
    if found.owner and not found.goes:
        from memrunbook.state.store import firings

        with _made(arguments) as store:
            firings.was_told(store, found.owner)
    return found


def look_for_scheduler(arguments: ScheduleArguments, silence: float = SILENCE) -> SchedulerCheck:
    """As `check_scheduler`, and nothing is marked."""
    now = SystemClock().now().utc
    with _store(arguments) as store:
        from memrunbook.state.store import firings

        fired = {one.schedule: one for one in reversed(firings.firings(store, most=FIRED))} if store is not None else {}
        beats = firings.schedulers(store) if store is not None else []
        newest = next((one for one in beats if one.at <= now + max(silence, firings.SILENT_AFTER)), None)
    library, elsewhere = arguments.library, newest is not None and newest.owner != os.uname().nodename
    if library.timetable is None and not (fired or beats):
        return SchedulerCheck(goes=True, said="there is no schedules.yaml: nothing is to be scheduled")
    if not (library.timetable is None and elsewhere) and (lost := _lost(library, fired, now)) is not None:
        return lost
    if not beats:
        return _silent("no scheduler has ever run with this store", now)
    if newest is None:
        return _silent(f"the scheduler on {beats[0].owner} was last heard of {AHEAD}", now, owner=beats[0].owner)
    quiet = max(0.0, now - newest.at)
    since = f"{format_duration(quiet)} ago"
    if newest.stopped or quiet > silence:
        how = "was stopped" if newest.stopped else "was last heard of"
        return _silent(f"the scheduler on {newest.owner} {how} {since}", now, quiet, newest.owner)
    said = f"a scheduler on {newest.owner} was heard of {since}"
    return SchedulerCheck(goes=True, said=said, silence=quiet, gone=_gone(arguments.library, fired))


def _lost(library: Library, fired: Mapping[str, Firing], now: float) -> SchedulerCheck | None:
    """That the file with the schedules is gone, or says none any more; None where it says some."""
    if library.timetable is None:
        last = max(fired.values(), key=lambda one: one.at, default=None)
        when = f", by which {last.schedule} fired {format_duration(max(0.0, now - last.at))} ago" if last else ""
        return _silent(f"schedules.yaml is gone{when}", now, command=LOST)
    try:
        library.schedules()
    except DocumentError as error:
        first = error.problems[0]
        return _silent(f"no schedule can be read: {first.where}: {first.message}", now, command=LOST)
    return None


def _gone(library: Library, fired: Iterable[str]) -> tuple[str, ...]:
    """The schedules that fired and that the file has no more."""
    if library.timetable is None:
        return ()  # they are set elsewhere
    schedules = library.schedules()
    known = {*(job.name for job in schedules.jobs), *schedules.broken}
    return tuple(sorted(set(fired) - known))


def cannot_be_told(error: RunbookError) -> Notification:
    """What is told where nobody can say whether anything is scheduled: a dead man's switch that fails is heard of."""
    return Notification(
        occasion="dead-man",
        key="scheduler:unknown",
        at=SystemClock().now().utc,
        verdict=f"whether anything is scheduled cannot be told: {error}",
        evidence=(error.hint,) if error.hint else (),
        command="runbook doctor",
    )


def _silent(said: str, now: float, silence: float = 0.0, owner: str = "", command: str = AGAIN) -> SchedulerCheck:
    told = Notification(
        occasion="dead-man", key="scheduler", at=now, verdict=f"nothing is scheduled any more: {said}", command=command
    )
    return SchedulerCheck(goes=False, said=said, silence=silence, owner=owner, tell=(told,))


def _listed(job: ScheduledRun, kept: KeptSchedule | None, last: Firing | None, now: float) -> ListedSchedule:
    coming = next_firing(job.schedule, now)
    if kept is not None and kept.paused is not None:
        hint = f"runbook schedule resume {job.name}"
        return ListedSchedule(name=job.name, state="paused", why=kept.why, hint=hint, job=job, last=last)
    state: ScheduleState = "active" if coming is not None else "over"
    return ListedSchedule(name=job.name, state=state, job=job, next=coming, last=last)


def _broken(name: str, problem: Problem) -> ListedSchedule:
    return ListedSchedule(name=name, state="broken", why=f"{problem.where}: {problem.message}", hint=problem.hint)


def _check_name(schedules: Schedules, name: str) -> None:
    """UsageError where no schedule has this name."""
    known = [*(job.name for job in schedules.jobs), *schedules.broken]
    if name not in known:
        near = get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise UsageError(f"no schedule is called {name!r}", hint=hint)


def _named(schedules: Schedules, name: str) -> ScheduledRun:
    _check_name(schedules, name)
    for job in schedules.jobs:
        if job.name == name:
            return job
    first = schedules.broken[name][0]
    raise UsageError(f"{name} cannot be used: {first.message}", where=first.where, hint=first.hint)


@contextmanager
def _store(arguments: ScheduleArguments) -> Iterator[Store | None]:
    """The store, for who only looks: none is made."""
    stored = Stored(arguments.state, arguments.library.config(), arguments.store)
    if stored.missing:
        yield None
        return
    with closing(stored.open()) as store:
        yield store


@contextmanager
def _made(arguments: ScheduleArguments) -> Iterator[Store]:
    stored = Stored(prepare(arguments.state), arguments.library.config(), arguments.store)
    with closing(stored.open()) as store:
        yield store
