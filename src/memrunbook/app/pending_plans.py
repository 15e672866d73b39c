"""Plans that wait for a person: of schedules that may not do it themselves, and of runs where a gate refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memrunbook.app.sharing_plans import LATE, shared_if_it_answers, unheard, written_since
from memrunbook.app.stored import Stored, Told
from memrunbook.core.action.action import Change, Risk
from memrunbook.core.errors import UsageError
from memrunbook.core.plan.approval import people_for
from memrunbook.core.plan.plan import Plan
from memrunbook.core.units import DAY
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.applied import AppliedRuns
from memrunbook.state.approvals import approvals_file, read_approvals
from memrunbook.state.kept_plans import read_plans, recent_plans
from memrunbook.state.paths import usual_state_dir
from memrunbook.state.plans import PlanFile
from memrunbook.state.waiting import declined, kept, left_approvals, remove

if TYPE_CHECKING:
    from memrunbook.core.plan.saved import Difference
    from memrunbook.state.store.changes import Store

SHORT = 8
"""So many characters of a file's digest tell it from any other that a person will meet."""

KEPT = 90.0 * DAY
"""Seconds that a plan is kept beyond its time, as firings are."""


@dataclass(frozen=True, kw_only=True)
class PendingArguments:
    """Where plans are kept, here and in the `store` that is shared; `expired` ones are listed too.

    `told` is told, with a hint, what of the store cannot be used.
    """

    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    library: Library = field(default_factory=usual_library)
    expired: bool = False
    told: Told = unheard

    def stored(self) -> Stored:
        """The store that is shared."""
        return Stored(self.state, self.library.config(), self.store)


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

    Those that other control nodes keep in the same store are among them, and are brought here. A file that cannot be
    read as a plan is passed over. JournalError where the state directory cannot be read.
    """
    elsewhere = shared_if_it_answers(arguments.stored(), arguments.told)
    gone, now = declined(arguments.state), SystemClock().now()
    config, applied = arguments.library.config(), AppliedRuns(arguments.state)
    found = []

    def done(digest: str, host: str) -> bool:
        return (digest, host) in elsewhere or bool(applied.newest(digest, host))

    for file in recent_plans(arguments.state, written_since(config, now.utc)):
        if file.digest in gone:
            continue
        void = file.outdated(now)
        for plan in file.saved.plans:
            late = void is not None and (not arguments.expired or now.utc - plan.expires_at > LATE)
            if plan.changes and not late and not done(file.digest, plan.host):
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


def forget_plans(state: Path, now: float, store: Store | None = None) -> None:
    """Removes the plans of schedules and alerts, with their approvals, whose time was over so long ago (`KEPT`).

    They were applied, declined, or nobody came in time; none of them can be applied any more. What a run saved stays
    with the run, and so does a file that cannot be read as a plan. What is shared of them goes from the `store`, too.
    """
    old = now - KEPT
    if store is not None:
        from memrunbook.state.store import plans

        plans.forget(store, old)
    for path in left_approvals(state):
        with suppress(OSError):
            if approvals_file(path).stat().st_mtime < old:
                remove(path)
    for file in (one for one in read_plans(kept(state)) if all(plan.expires_at < old for plan in one.saved.plans)):
        remove(file.path)


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
