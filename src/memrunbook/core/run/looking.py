"""Looks at what some run began on this host and nobody saw the end of, and says what is known of it now.

The host's own mark comes first; where it only says that a command began, or is gone, the target may still tell: a unit
that is in another run than before it was restarted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from memrunbook.core.action.action import Action, Change
from memrunbook.core.errors import Refused
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.planner import bind_action, items_of
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.event import LookedAt
from memrunbook.core.run.flight import OpenStep, clock
from memrunbook.core.run.progress import Progress
from memrunbook.core.run.request import Asking, Look, Record, Seen, ask

FoundWhy = tuple[Literal["done", "failed", "not-done", "unknown"], str]
SEEN: dict[str, str] = {
    "at-work": "its command, or the job that it asked for, is still at work on the host",
    "unseen": "the host could not tell",
    "begun": "its command began, and how it ended is not on the host",
}
STILL = "wait until it has ended, then try again; a process that hangs is ended on the host by hand"
SLACK = 60.0
"""Seconds that what was begun is given beyond its own timeout, and two clocks to differ."""
KNOWN: dict[str, FoundWhy] = {
    "done": ("done", "its command ended well, says the journal"),
    "failed": ("failed", "its command failed, says the journal"),
}


def look_at(progress: Progress, left_open: Sequence[OpenStep]) -> Asking[None]:
    """Looks at each step that an earlier run left open; what was seen is recorded, shown at the gates and decides."""
    for opened in left_open:
        progress.looks.append((yield from looked(progress, opened)))


def looked(progress: Progress, opened: OpenStep) -> Asking[LookedAt]:
    """Looks at one step, and records what was seen.

    Refused where it is still at work: no consent lets two work at once, and waiting tells how it ends.
    """
    found, why = KNOWN.get(opened.answer, ("unknown", ""))
    at_work = False
    if found == "unknown":
        unit = opened.touches if "." in opened.touches else ""
        seen = yield from ask(Look(opened.run, opened.record, unit))
        found, why = _verdict(progress, opened, seen)
        at_work = seen.found == "at-work"
    look = look_of(opened, found, why)
    yield from ask(Record(look))
    if at_work:
        what = f"{opened.step} of run {opened.run}, started {clock(opened.started)}"
        raise Refused(f"what an earlier run began is still at work here: {what}: {why}", hint=STILL)
    return look


def look_of(
    opened: OpenStep, found: Literal["done", "failed", "not-done", "unknown", "again"], why: str = ""
) -> LookedAt:
    """What was found of an open step."""
    return LookedAt(
        run=opened.run,
        step=opened.step,
        action=opened.action,
        target=opened.target,
        summary=f"taking back: {opened.summary}" if opened.undo else opened.summary,
        started=opened.started,
        record=opened.record,
        found=found,
        why=why,
        once=opened.once and not opened.undo,
    )


def _verdict(progress: Progress, opened: OpenStep, seen: Seen) -> FoundWhy:
    if seen.found == "ended":
        if seen.status == 0:
            return "done", "its mark on the host says that its command ended well"
        return "failed", f"its mark on the host says that its command ended with status {seen.status}"
    if seen.found == "absent":
        return "not-done", "its command never began, says the host"
    why = seen.why or SEEN[seen.found]
    if seen.found == "at-work":
        return "unknown", why
    now = progress.snapshot.identity.boot_id
    if opened.boot_id and now and now != opened.boot_id:
        return "unknown", "the host was rebooted since, and that took away what would tell"
    return _by_target(progress, opened, seen) or ("unknown", why)


def _by_target(progress: Progress, opened: OpenStep, seen: Seen) -> FoundWhy | None:
    """What the target itself tells: whoever is renewed by success is another one by now, or is not."""
    identity = "" if opened.undo else _identity_now(progress, opened)
    if not identity or not opened.identity:
        return None
    if identity != opened.identity:
        return "done", f"{opened.target} is in another run than before it"
    if seen.found != "begun" or _may_go_on(progress, opened):
        return None
    return "not-done", f"{opened.target} is still in the run that it was in before"


def _may_go_on(progress: Progress, opened: OpenStep) -> bool:
    """True where somebody may still carry it out: a container's daemon goes on though its client is gone.

    Of a unit the host was asked whether a job is under way.
    """
    if "." in opened.touches:
        return False
    begun = dt.datetime.fromisoformat(opened.started).timestamp()
    return progress.snapshot.taken_at.utc - begun < opened.timeout + SLACK


def _identity_now(progress: Progress, opened: OpenStep) -> str:
    """The identity of the target as it is now; empty where the action cannot tell, or no step here touches it."""
    world = world_of(progress.runbook, progress.snapshot)
    for step in progress.runbook.steps:
        if step.spec.action != opened.action or not step.action.renews:
            continue
        items = items_of(step, world)
        for _, item in () if isinstance(items, Unavailable) else items:
            action = bind_action(step, world.at(item=item))
            decision = action.decide(progress.snapshot) if isinstance(action, Action) else None
            if isinstance(decision, Change) and decision.target == opened.target:
                return decision.identity
    return ""
