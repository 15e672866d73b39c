"""What schedules that only plan would have done, and what became of each case without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.remembering import kept_as
from memrunbook.app.stored import Stored, Told
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.core.plan.score import Aftermath, ScoredCase, judge
from memrunbook.core.plan.shadows import Case, HostSighting, Shadow, UnforeseenKills, cases_of, unforeseen
from memrunbook.core.units import DAY, HOUR, format_duration
from memrunbook.documents.library import Library, usual_library
from memrunbook.documents.schedules import ScheduledRun
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history.file import set_aside
from memrunbook.state.paths import usual_state_dir

if TYPE_CHECKING:
    # The database is loaded by whoever opens it.
    from memrunbook.core.reading.series import Series
    from memrunbook.state.history.past import StoredPast
    from memrunbook.state.store.changes import Store

USUAL_SINCE = 30.0 * DAY


@dataclass(frozen=True, kw_only=True)
class ScoreArguments:
    """A schedule by its name (empty: every one that only plans), and from when on (seconds since 1970)."""

    name: str = ""
    since: float | None = None
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""


@dataclass(frozen=True, kw_only=True)
class ScheduleScore:
    """One schedule: its entry, None where it is no more in the file or broken, and its cases in the order of time.

    `came_without` are OOM kills of which no case had warned. Its firings looked at so many `hosts`, so often
    (`sightings`), since `watched`; None where they never did.
    """

    name: str
    job: ScheduledRun | None
    cases: tuple[ScoredCase, ...] = ()
    came_without: tuple[UnforeseenKills, ...] = ()
    hosts: int = 0
    sightings: int = 0
    watched: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """The schedules by name since a moment; `notes` say in sentences why less is known than might be."""

    since: float
    schedules: tuple[ScheduleScore, ...]
    notes: tuple[str, ...] = ()


def score(arguments: ScoreArguments, told: Told = lambda _said, _hint: None) -> ScoreResult:
    """What became of what would have been done. `told` is told that a history was set aside just now.

    UsageError for a schedule of which nothing is known, JournalError where the store does not answer.
    """
    now, stored = SystemClock().now().utc, Stored(arguments.state, arguments.library.config(), arguments.store)
    since = now - USUAL_SINCE if arguments.since is None else arguments.since
    file = arguments.library.schedules()
    jobs = {job.name: job for job in file.jobs}
    judging = _Judging(stored, since, now, told)
    found = {one.name: one for one in judging.scores(jobs, arguments.name)}
    if arguments.name and arguments.name not in found:
        if arguments.name not in (*jobs, *file.broken):
            raise _unknown(arguments.name, {*jobs, *file.broken, *judging.known})
        found = {arguments.name: ScheduleScore(name=arguments.name, job=jobs.get(arguments.name))}
    if not arguments.name:
        found |= {job.name: ScheduleScore(name=job.name, job=job) for job in jobs.values() if _waits(job, found)}
    notes = [*_kept_for(since, now), *judging.notes]
    return ScoreResult(since=since, schedules=tuple(found[name] for name in sorted(found)), notes=tuple(notes))


@dataclass
class _Judging:
    """Reads what is kept, and judges by it; `notes` say what was not there to be read, `known` which schedules are."""

    stored: Stored
    since: float
    now: float
    told: Told
    notes: list[str] = field(default_factory=list)
    known: tuple[str, ...] = ()

    def scores(self, jobs: Mapping[str, ScheduledRun], name: str) -> Iterator[ScheduleScore]:
        """The scores of schedules of which a firing is kept."""
        if self.stored.missing:
            return
        from memrunbook.state.store import sightings

        with closing(self.stored.open()) as store:
            self.known = sightings.schedules_seen(store)
            for one in self.known:
                if name in ("", one):
                    seen, shadows = sightings.sightings(store, one), sightings.shadows(store, one)
                    yield self._score(store, jobs.get(one), seen, shadows)

    def _score(
        self, store: Store, job: ScheduledRun | None, seen: Sequence[HostSighting], shadows: Sequence[Shadow]
    ) -> ScheduleScore:
        every = cases_of(seen, shadows)
        cases = [case for case in every if case.first.since >= self.since]
        late = [one for one in seen if one.until >= self.since]
        return ScheduleScore(
            name=seen[0].schedule,
            job=job,
            cases=tuple(judge(case, kept, self.now) for case, kept in self._with_aftermath(store, cases)),
            came_without=tuple(one for one in unforeseen(seen, every) if one.before >= self.since),
            hosts=len({one.host for one in late}),
            sightings=sum(one.count for one in late),
            watched=min((one.since for one in late), default=None),
        )

    def _with_aftermath(self, store: Store, cases: Sequence[Case]) -> Iterator[tuple[Case, Aftermath]]:
        """Each case in its turn; a host's history is read once."""
        if not cases:
            return
        begun: dict[str, float] = {}
        for case in cases:
            begun[case.first.host] = min(case.first.since, begun.get(case.first.host, self.now))
        series: dict[str, tuple[Series, ...]] = {}
        with self._past() as past:
            for case in cases:
                host, machine = case.first.host, case.first.machine
                if host not in series:
                    series[host] = self._series(past, host, machine, begun[host] - HOUR)
                done = store.of_host(host, machine, begun[host])
                yield case, Aftermath(series[host], done.changes, done.runs)

    def _past(self) -> AbstractContextManager[StoredPast | None]:
        config, file = self.stored.config, self.stored.history_file
        for path, at in set_aside(file) if file is not None else ():
            if at >= self.since:
                self._note(f"a damaged history was set aside as {path}: what it knew is not looked at")
        if config.history is None:
            self._note("config.yaml keeps no history: restarts by hand are not known")
        elif file is not None and not file.exists():
            self._note(f"there is no history at {file}: restarts by hand are not known")
        else:
            return closing(self.stored.past(self.told))
        return nullcontext()

    def _series(self, past: StoredPast | None, host: str, machine: str, since: float) -> tuple[Series, ...]:
        if past is None:
            return ()
        try:
            return past.series(kept_as(host), machine, since)
        except (RunbookError, OSError) as error:
            self._note(f"the history was not read, restarts by hand are not known: {error}")
            return ()

    def _note(self, words: str) -> None:
        if words not in self.notes:
            self.notes.append(words)


def _waits(job: ScheduledRun, found: Mapping[str, ScheduleScore]) -> bool:
    """True for one that only plans and has not fired yet."""
    return not job.acts and job.name not in found


def _kept_for(since: float, now: float) -> Iterator[str]:
    from memrunbook.state.store.firings import KEPT

    if since < now - KEPT:
        yield f"what schedules would have done is kept for {format_duration(KEPT)}: of the time before nothing is known"


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    near = get_close_matches(name, sorted(known), 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    return UsageError(f"no schedule is called {name!r}, and no firing of one is kept", hint=hint)
