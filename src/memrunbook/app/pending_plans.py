"""Plans that wait for a person: of schedules that may not do it themselves, and of runs where a gate refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from memrunbook.core.action.action import Change, Risk
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.plan.approval import people_for
from memrunbook.core.plan.plan import Plan
from memrunbook.core.units import DAY
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.applied import AppliedRuns
from memrunbook.state.approvals import approvals_file, read_approvals
from memrunbook.state.paths import usual_state_dir
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.state.waiting import declined, kept, left_approvals, remove, waiting

if TYPE_CHECKING:
    from memrunbook.core.plan.saved import Difference

SHORT = 8
"""So many characters of a file's digest tell it from any other that a person will meet."""
LATE = 7.0 * DAY
"""Seconds: a plan that expired so long ago is not listed any more."""


KEPT = 90.0 * DAY
"""Seconds that a plan is kept beyond its time, as firings are."""


@dataclass(frozen=True, kw_only=True)
class PendingArguments:
    """Where plans are kept; `expired` ones are listed too."""

    state: Path = field(default_factory=usual_state_dir)
    library: Library = field(default_factory=usual_library)
    expired: bool = False


class PendingStep(NamedTuple):
    """One change that a plan waits with: the step's name, what is done to what, that in a sentence, and its risk."""

    name: str
    action: str
    target: str
    summary: str
    risk: Risk


@dataclass(frozen=True, kw_only=True)
class PendingPlan:
    """A plan that waits on one host: since when and until when (seconds since 1970), who made it, and what it is for.

    `digest` is the SHA-256 of its file, `id` the beginning of that. `why` is what speaks for its `steps`; `people` must
    approve it first, `approvals` were given (whether they count is seen when it is applied). `void` says why it cannot
    be applied any more.
    """

    id: str
    digest: str
    path: Path
    host: str
    runbook: str
    creator: str
    at: float
    until: float
    steps: tuple[PendingStep, ...]
    why: tuple[str, ...] = ()
    people: int = 0
    approvals: int = 0
    void: str = ""


def pending(arguments: PendingArguments) -> tuple[PendingPlan, ...]:
    """The plans that wait, the newest first; those that were carried out or declined do not.

    A file that cannot be read as a plan is passed over. JournalError where the state directory cannot be read.
    """
    gone, now = declined(arguments.state), SystemClock().now()
    config, applied = arguments.library.config(), AppliedRuns(arguments.state)
    found = []
    for file in _files(arguments.state, now.utc - LATE - max(config.deadline, LATE)):
        if file.digest in gone:
            continue
        void = file.outdated(now)
        for plan in file.saved.plans:
            late = void is not None and (not arguments.expired or now.utc - plan.expires_at > LATE)
            if plan.changes and not late and not applied.newest(file.digest, plan.host):
                found.append(_pending(file, plan, people_for(config.approvals, [plan]), void))
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


ALGORITHM = "sha256:"


def waiting_plan(arguments: PendingArguments, given: str, where: str = "") -> PendingPlan:
    """The plan that waits, by its id, its digest or its file; the beginning of a digest will do.

    UsageError for what names none that waits, or several.
    """
    digest, found = given.removeprefix(ALGORITHM), pending(arguments)
    named = [one for one in found if str(one.path) == given]
    plans = named or [one for one in found if digest and one.digest.startswith(digest)]
    if len({one.path for one in plans}) != 1:
        what = "no plan that waits has this id" if not plans else "several plans begin like that"
        raise UsageError(what, where=where, hint="runbook pending lists them")
    return plans[0]


def forget_plans(state: Path, now: float) -> None:
    """Removes the plans of schedules and alerts, with their approvals, whose time was over so long ago (`KEPT`).

    They were applied, declined, or nobody came in time; none of them can be applied any more. What a run saved stays
    with the run, and so does a file that cannot be read as a plan.
    """
    old = now - KEPT
    for path in left_approvals(state):
        with suppress(OSError):
            if approvals_file(path).stat().st_mtime < old:
                remove(path)
    for file in (one for one in _read(kept(state)) if all(plan.expires_at < old for plan in one.saved.plans)):
        remove(file.path)


def _files(state: Path, since: float) -> Iterator[PlanFile]:
    """Those that were written since then: of years of runs the others are not even read, nor is a pipe waited for."""
    with_time = ((path, _written(path)) for path in waiting(state))
    yield from _read(path for path, written in with_time if written is not None and written >= since)


def _written(path: Path) -> float | None:
    """When a file was written, in seconds since 1970; None for what is no file, and for one that has just gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime if S_ISREG(found.st_mode) else None


def _read(paths: Iterable[Path]) -> Iterator[PlanFile]:
    """The plans of these files; one that cannot be read as a plan, or has just gone, is passed over."""
    for path in paths:
        try:
            yield load_plan(path)
        except (UsageError, Refused, FileNotFoundError):
            continue


def _pending(file: PlanFile, plan: Plan, people: int, void: Difference | None) -> PendingPlan:
    try:
        approvals = len({one.principal for one in read_approvals(file.path)})
    except UsageError:
        approvals = 0
    return PendingPlan(
        id=file.digest[:SHORT],
        digest=file.digest,
        path=file.path,
        host=plan.host,
        runbook=plan.runbook,
        creator=file.saved.creator,
        at=plan.taken_at.utc,
        until=plan.expires_at,
        steps=tuple(_step(step.name, step.change) for step in plan.changes if step.change),
        why=tuple(dict.fromkeys(title for step in plan.changes for title, _ in step.evidence)),
        people=people,
        approvals=approvals,
        void=f"{void.what} ({void.approved}; now {void.now})" if void is not None else "",
    )


def _step(name: str, change: Change) -> PendingStep:
    return PendingStep(name, change.action, redact(change.target), redact(change.summary), change.risk)
