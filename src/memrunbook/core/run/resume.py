"""Goes on with an interrupted run on one host: what was open is looked at, proven or left open; what ended stays so.

Nothing of the interrupted run is replayed: facts are read afresh, decisions are made anew, every gate is asked again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgspec

from memrunbook.core.action.action import Action, Change
from memrunbook.core.errors import HostError, Interrupted, Refused
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.planner import again, bind_action, decide, look_up
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.carry_out import Approved, carry_out
from memrunbook.core.run.event import LookedAt, StepFinished
from memrunbook.core.run.flight import ENDS, UNKNOWN, OpenStep, clock
from memrunbook.core.run.harm import failed_in
from memrunbook.core.run.looking import look_of, looked
from memrunbook.core.run.progress import Doing, Progress
from memrunbook.core.run.request import AskApproval, Asking, Done, Failed, Record, Unlock, Wait, ask, lock_host
from memrunbook.core.runbook.bound import Runbook, Step
from memrunbook.core.units import format_duration

LOCK_EVERY, LOCK_LEAST, LOCK_MOST = 1.0, 15.0, 60.0
"""Seconds between two tries for the lock, and at least and at most, while the shell of the interrupted run lives on."""
LOCK_SOON, LOCK_LATE = 2.0, 15.0
"""Seconds between two tries while another run is at work: at first, and after some minutes."""


@dataclass(frozen=True)
class Behind:
    """How far an interrupted run (`run` is its id) had come on one host.

    `first` is what it read first, `before` what it had read when it began the open step; None where that is not known.
    `ended`: it had come to its end here. `locked`: it has not given the lock back.
    """

    run: str
    finished: tuple[StepFinished, ...] = ()
    open: OpenStep | None = None
    first: Snapshot | None = None
    before: Snapshot | None = None
    acted: bool = False
    ended: bool = False
    locked: bool = False

    @property
    def begun(self) -> bool:
        """True where the run had come to its steps."""
        return bool(self.finished or self.open)


def restore(progress: Progress, behind: Behind) -> None:
    """Takes over what has ended already, and why nothing more was to be done."""
    progress.first = behind.first or progress.first
    progress.acted = behind.acted
    progress.own_open = behind.open
    steps = {step.spec.id: step for step in progress.runbook.steps}
    for finished in behind.finished:
        progress.finished.append(finished)
        step = steps.get(finished.id)
        if finished.state == "refused" and not finished.rule:  # a rule stops its step alone
            progress.stop(f"step {finished.id} was refused")
        elif finished.state == "unknown":
            progress.stop(f"the outcome of step {finished.id} is unknown")
        elif finished.state in ("failed", "undone") and step is not None and step.spec.on_failure == "stop":
            progress.failed = True
            progress.stop(f"step {finished.id} failed")


def lock_again(progress: Progress, behind: Behind | None, patience: float = 0.0) -> Asking[None]:
    """Takes the lock; where the shell of this very run, cut off, still holds it, waits for its end.

    Another run that is at work here is waited for so many seconds. What was read before such a wait is old then.
    """
    opened = behind.open if behind else None
    own, waited = min(max(opened.timeout if opened else 0.0, LOCK_LEAST), LOCK_MOST), 0.0
    while True:
        try:
            yield from lock_host()
        except Refused as error:
            mine = behind is not None and behind.run in str(error)
            longest = own if mine else patience if error.passes else 0.0
            if waited >= longest:
                raise _waited_for(error, 0.0 if mine else waited) from None
            every = LOCK_EVERY if mine else min(LOCK_LATE, max(LOCK_SOON, waited / 4), longest - waited)
            why = "the shell of the run that was cut off is still at work here" if mine else error.message
        else:
            return
        yield from ask(Wait(every, why))
        waited += every
        progress.fresh = 0


def _waited_for(error: Refused, waited: float) -> Refused:
    """The refusal, and for how long its end was waited for."""
    if waited:
        error.message = f"{error.message}; its end was waited for, {format_duration(waited)}"
        error.args = (error.message,)
    return error


def give_back() -> Asking[None]:
    """All that is left of a run that had come to its end here, but for the lock."""
    with suppress(HostError, Refused, Interrupted):
        yield from ask(Unlock())


def go_on(progress: Progress, behind: Behind) -> Asking[Step | None]:
    """Brings the open step to its end, or leaves it to be run like any other; the step where it was carried out."""
    opened = behind.open
    if opened is None:
        return None
    look = progress.own_look = yield from looked(progress, opened)
    step, key = step_of(progress.runbook, opened)
    if look.found == "not-done" and not opened.undo:
        progress.own_open = None
        return None
    if look.found in ("done", "failed"):
        progress.own_open = msgspec.structs.replace(opened, answer=look.found, why=look.why)
    if look.found == "unknown" and not opened.undo:
        if opened.once:
            yield from _unknown(progress, step, key, opened, look)
        return None
    yield from _ended(progress, step, key, behind, look)
    return step


def end_left(progress: Progress, opened: OpenStep) -> Asking[None]:
    """The end of an open step that was left to be run like any other and was not: its item is gone, or all is over."""
    step, key = step_of(progress.runbook, opened)
    if any((end.id, end.item) == (step.spec.id, key) for end in progress.finished):
        return
    look, began = progress.own_look, f"started {clock(opened.started)}"
    if look is not None and look.settled:
        yield from progress.record(step, key, "not_needed", why=f"{began}: {look.why}; it is not due any more")
        return
    why = f"{began}, outcome unknown; it is not due any more, and what it began may be in force"
    yield from progress.record(step, key, "interrupted", why=why, summary=opened.summary, left=True)


def step_of(runbook: Runbook, opened: OpenStep) -> tuple[Step, str]:
    """The step of an open step, and its item."""
    name, _, key = opened.step.partition("/")
    return next(step for step in runbook.steps if step.spec.id == name), key


def left_open(runbook: Runbook, opened: OpenStep, why: str) -> StepFinished:
    """The record of an open step that stays open: nobody could look at it, or do what the look asks for."""
    step, key = step_of(runbook, opened)
    spec = step.spec
    return StepFinished(
        id=spec.id,
        name=spec.name,
        action=spec.action,
        item=key,
        state="unknown",
        why=f"started {clock(opened.started)}, {ENDS.get(opened.answer, UNKNOWN)}: {why}",
        summary=opened.summary,
        open=True,
    )


def _ended(progress: Progress, step: Step, key: str, behind: Behind, look: LookedAt) -> Asking[None]:
    """Proves what was carried out, takes back what failed, as the run would have done.

    The time that its proof has begins now: nobody looked while the run was cut off.
    """
    progress.doing = Doing(step, key)  # from the look on: what is cut short here was carried out
    progress.acted = progress.executed = True
    yield from progress.refresh("what did it leave?", step)
    opened, at = behind.open, progress.snapshot.taken_at
    approved = _approved(progress, step, key, behind)
    if opened is not None and opened.undo and look.found == "done":
        why = f"it did not help, and was taken back: {look.why}"
        yield from progress.record(step, key, "undone", why=why, summary=opened.summary)
        _stop(progress, step)
    elif approved is None:
        why = f"carried out, but not proven: its beginning cannot be made out in the journal any more; {look.why}"
        yield from progress.record(step, key, "unknown", why=why, summary=look.summary)
        progress.stop(f"the outcome of step {step.spec.id} is unknown")
    elif look.found == "done":
        yield from carry_out(approved, at, Done(at))
    else:
        taking = "it was being taken back when the run was cut off" if opened is not None and opened.undo else look.why
        yield from carry_out(approved, at, Failed(at, taking))


def _stop(progress: Progress, step: Step) -> None:
    if step.spec.on_failure == "stop":
        progress.failed = True
        progress.stop(f"step {step.spec.id} failed")


def _approved(progress: Progress, step: Step, key: str, behind: Behind) -> Approved | None:
    """The change as it was approved then, made again of what was read then."""
    if behind.before is None or behind.open is None:
        return None
    world = world_of(progress.runbook, behind.before)
    item = look_up(step, key, world)
    if isinstance(item, PlannedStep):
        return None
    action = bind_action(step, world.at(item=item[1]))
    change = decide(action, behind.before) if isinstance(action, Action) else None
    if not isinstance(action, Action) or not isinstance(change, Change) or change.target != behind.open.target:
        return None
    told = failed_in(behind.before)
    failed = failed_in(behind.first) if told is None and behind.first is not None else told
    return Approved(progress, step, item, action, change, behind.before, failed)


def _unknown(progress: Progress, step: Step, key: str, opened: OpenStep, look: LookedAt) -> Asking[None]:
    """A once-only step is repeated on a person's own word alone; else it stays open, and the run ends here."""
    yield from progress.refresh("before the step", step)
    world = world_of(progress.runbook, progress.snapshot)
    item = look_up(step, key, world)
    planned = item if isinstance(item, PlannedStep) else again(step, item, world)
    why = look.why
    if planned.change is not None:
        question = AskApproval(planned, progress.snapshot.taken_at, looks=(look,))
        approval = yield from ask(question)
        progress.fresh = 0
        if approval.answer == "yes" and approval.again == question.again and approval.digest == planned.digest:
            progress.own_open = None
            yield from ask(Record(look_of(opened, "again", approval.how)))
            return
        why = f"{why}; {approval.why or 'it was not repeated'}"
    told = f"started {clock(opened.started)}, outcome unknown: {why}"
    progress.doing = None
    yield from progress.record(step, key, "unknown", why=told, summary=opened.summary, open=True)
    progress.stop(f"the outcome of step {step.spec.id} is unknown")
