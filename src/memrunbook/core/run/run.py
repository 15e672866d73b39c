"""The life of a run: a generator that never touches the world, it asks.

Read, diagnose, lock; then each step in order until the incident is resolved, a step fails or somebody says no. What is
not reached is recorded with its reason. How one step lives stands in `step.py`. An error of the host, a refused lock or
a Ctrl-C is thrown in by the runtime, and ends the run with everything recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from memrunbook.core.errors import HostError, Interrupted, NotBegun, Refused, RunbookError
from memrunbook.core.plan.diagnosis import diagnose_one, world_of
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.nothing import nothing_found
from memrunbook.core.plan.planner import items_of, make_plan
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.cut_off import NOT_REACHED, REFUSED, UNCHANGED, UNPROVEN
from memrunbook.core.run.event import Diagnosed, Event, Outcome, RunFinished, StepState, StillHeld
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.looking import look_at
from memrunbook.core.run.progress import TOO_SHORT, Doing, Progress, incident_over, kept, signals, where
from memrunbook.core.run.request import Asking, ReadFacts, Record, Unlock, Wait, ask
from memrunbook.core.run.resume import Behind, end_left, go_on, left_open, lock_again, restore
from memrunbook.core.run.step import run_item
from memrunbook.core.runbook.bound import Runbook, Step
from memrunbook.core.runbook.spec import Sampling

ENDS: dict[type[RunbookError], Outcome] = {
    NotBegun: "not_begun",  # before what it is a kind of
    HostError: "unreachable",
    Interrupted: "interrupted",
    Refused: "refused",
}
TOLD = tuple(ENDS)


def run_plan(
    runbook: Runbook,
    watch: Sampling | None = None,
    *,
    left: Sequence[OpenStep] = (),
    behind: Behind | None = None,
    patience: float = 0.0,
) -> Asking[None]:
    """Runs a runbook on one host; everything that happens is asked for or recorded.

    `watch` reads the host for longer than the runbook asks before it is judged. `left` are the steps that other runs
    left open on this host: each is looked at before anything is done. `behind` is how far this very run had come before
    it was cut off. Another run that is at work on the host is waited for so many seconds of `patience`.
    """
    sample, why = (watch, "watched before the diagnosis") if watch else (runbook.spec.sample, "diagnosis")
    read = ReadFacts(tuple(sorted(runbook.facts)), sample.count, sample.every, why)
    try:
        snapshot = yield from ask(read)
    except TOLD as error:
        for event in not_reached(runbook, behind, error):
            yield from ask(Record(event))
        return
    progress = Progress(runbook, snapshot)
    try:
        yield from _live(progress, left, behind, patience)
    except TOLD as error:
        yield from _cut_short(progress, error)
    if progress.locked:
        with suppress(*TOLD):  # everything is recorded; a lock left behind is found as stale
            yield from ask(Unlock())


def not_reached(runbook: Runbook, behind: Behind | None, error: RunbookError, why: str = "") -> list[Event]:
    """The end of a host that could not be worked with; the open step of a run that goes on stays open."""
    why = why or str(error)
    if behind is None or behind.open is None:
        return [RunFinished(_end_of(error), why, hint=error.hint)]
    stays = left_open(runbook, behind.open, f"it could not be looked at: {why}")
    return [stays, RunFinished("unknown", why, hint=error.hint)]


def _live(progress: Progress, left: Sequence[OpenStep], behind: Behind | None, patience: float) -> Asking[None]:
    runbook, snapshot = progress.runbook, progress.snapshot
    diagnosis = diagnose_one(runbook, snapshot)
    incident = diagnosis.incident
    progress.uncertain = incident.state == "unknown" or (progress.too_short and not incident.holds)
    found = Diagnosed(diagnosis, make_plan(runbook, snapshot), signals(runbook, snapshot), kept(runbook, snapshot))
    yield from ask(Record(found))
    if behind is not None and behind.begun:
        restore(progress, behind)
    elif incident.state == "fails" and not progress.uncertain:
        yield from _finish(progress, "healthy", "the incident does not apply")
        return
    if not progress.uncertain or progress.own_open is not None:
        yield from lock_again(progress, behind, patience)
        progress.locked = True
        yield from _look(progress, left, behind)
    for step in runbook.steps:
        if not progress.has_ended(step):
            yield from _run_step(progress, step)
    if behind is not None and behind.open is not None:
        yield from end_left(progress, behind.open)
    resolved = yield from _resolved(progress)
    why = TOO_SHORT if progress.uncertain and incident.state == "fails" else incident.why
    outcome = _outcome(progress, resolved=resolved)
    said = next((end.why for end in progress.finished if end.state == outcome == "refused"), why)
    yield from _finish(progress, outcome, progress.ending or said)


def _look(progress: Progress, left: Sequence[OpenStep], behind: Behind | None) -> Asking[None]:
    """Looks at what is open here: first of this very run, then of others."""
    step = (yield from go_on(progress, behind)) if behind is not None else None
    if step is not None and not progress.ending and (yield from _resolved(progress)):
        progress.resolved_by(step)
    yield from look_at(progress, [opened for opened in left if opened.is_on(progress.snapshot)])


def _run_step(progress: Progress, step: Step) -> Asking[None]:
    if progress.ending:
        yield from _unreached(progress, step, "")
        return
    yield from progress.refresh("before the step", step)
    world = world_of(progress.runbook, progress.snapshot)
    found = items_of(step, world, limit=step.spec.limit)
    if isinstance(found, Unavailable):
        yield from progress.record(step, "", "blocked", why=f"its items are unknown: {found.why}")
    elif not found and progress.too_short:
        yield from progress.record(step, "", "blocked", why=TOO_SHORT)
    elif not found:
        yield from progress.record(step, "", "not_needed", why=nothing_found(step.for_each, world))
    else:
        progress.items[step.spec.id] = progress.left_of(step, [key for key, _ in found])
        for key in progress.items[step.spec.id]:
            if progress.ending:
                yield from _unreached(progress, step, key)
                continue
            yield from run_item(progress, step, key)
            ahead = progress.runbook.behind(step)
            if progress.acted and not progress.ending and (yield from _resolved(progress, *ahead)):
                progress.resolved_by(step)


def _unreached(progress: Progress, step: Step, item: str) -> Asking[None]:
    state: StepState = "not_needed" if progress.resolved else "skipped"
    yield from progress.record(step, item, state, why=progress.ending)


def _resolved(progress: Progress, *ahead: Step) -> Asking[bool]:
    """True when the incident is over and stays so for the runbook's hold time; else the steps `ahead` are read for."""
    if progress.resolved:
        return True
    runbook = progress.runbook
    yield from progress.refresh("is it resolved?", *ahead)
    began = progress.snapshot.taken_at
    while incident_over(progress):
        if progress.snapshot.taken_at.since(began) >= runbook.hold:
            return True
        yield from ask(Wait(runbook.spec.sample.every, "does it stay resolved?"))
        progress.fresh = 0
        yield from progress.refresh("does it stay resolved?")
    return False


def _outcome(progress: Progress, *, resolved: bool) -> Outcome:
    """How the run ends: who declined all that would have been done has not resolved what still applies."""
    states = {finished.state for finished in progress.finished}
    if "unknown" in states or progress.uncertain:
        return "unknown"
    incident = progress.runbook.incident.evaluate(world_of(progress.runbook, progress.snapshot))
    declined = any(finished.state == "refused" and not finished.rule for finished in progress.finished)
    if resolved and not progress.failed and not (declined and not progress.acted and incident.state == "holds"):
        return "resolved"
    if declined:
        return "refused"
    if "failed" in states or "undone" in states:
        return "failed"
    if incident.state == "fails" and not progress.too_short:
        return "improved"
    return "refused" if "refused" in states else "unresolved"


def _finish(progress: Progress, outcome: Outcome, why: str) -> Asking[None]:
    yield from _still_held(progress)
    runbook, snapshot = progress.runbook, progress.snapshot
    yield from ask(Record(RunFinished(outcome, why, signals(runbook, snapshot), where=where(snapshot))))


def _still_held(progress: Progress) -> Asking[None]:
    """Records what is frozen or changed for a while as the newest snapshot shows it."""
    held = held_words(progress.snapshot)
    if held:
        yield from ask(Record(StillHeld(held)))


def _cut_short(progress: Progress, error: RunbookError) -> Asking[None]:
    """Records the step that was under way, what was not reached, and the end."""
    own = progress.doing is not None and progress.doing.is_of(progress.own_open)
    if progress.own_open is not None and not (own and progress.executed):
        progress.doing = None if own else progress.doing
        yield from _stays_open(progress, progress.own_open, error)
    if progress.doing:
        yield from _interrupted_step(progress, progress.doing, error)
    # All of it is said once, at the end.
    progress.stop(REFUSED if _end_of(error) == "refused" else f"{NOT_REACHED}{error.message.partition(': ')[0]}")
    recorded = {(finished.id, finished.item) for finished in progress.finished}
    begun = {finished.id for finished in progress.finished}
    for step in progress.runbook.steps:
        known = progress.items.get(step.spec.id, [] if step.spec.id in begun else [""])
        for key in known:
            if (step.spec.id, key) not in recorded:
                yield from _unreached(progress, step, key)
    yield from _still_held(progress)
    outcome = _end_of(error)
    if any(finished.open for finished in progress.finished):
        outcome = "unknown"
    yield from ask(Record(RunFinished(outcome, str(error), hint=error.hint)))


def _stays_open(progress: Progress, opened: OpenStep, error: RunbookError) -> Asking[None]:
    """Records the step that this very run had left open before: whatever was seen of it, nothing came of that."""
    look = progress.own_look
    why = f"{look.why}; then {error}" if look else f"it could not be looked at: {error}"
    stays = left_open(progress.runbook, opened, why)
    progress.finished.append(stays)
    progress.own_open = None
    yield from ask(Record(stays))


def _interrupted_step(progress: Progress, doing: Doing, error: RunbookError) -> Asking[None]:
    unbegun: StepState = "refused" if isinstance(error, Refused) else "interrupted"
    state: StepState = "interrupted" if isinstance(error, Interrupted) else "unknown"
    carried_out = UNPROVEN if progress.executed else UNCHANGED
    why = f"{carried_out}: {error}"
    left = progress.executed
    yield from progress.record(doing.step, doing.item, state if left else unbegun, why=why, left=left)


def _end_of(error: RunbookError) -> Outcome:
    return next((outcome for kind, outcome in ENDS.items() if isinstance(error, kind)), "unreachable")
