"""The life of one step: decide, ask, look again, carry out, prove, take back."""

from __future__ import annotations

import msgspec

from memrunbook.core.action.action import Action, Risk
from memrunbook.core.errors import OutOfDate
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.planner import Item, again, bind_action, look_up, not_needed
from memrunbook.core.plan.reasons import reasons
from memrunbook.core.run.carry_out import Approved, carry_out
from memrunbook.core.run.event import LookedAt, StepState
from memrunbook.core.run.flight import clock
from memrunbook.core.run.progress import TOO_SHORT, Doing, Progress, incident_over
from memrunbook.core.run.request import WAITED, AskApproval, Asking, Record, Turn, ask
from memrunbook.core.runbook.bound import Step

ASKED_AT_MOST = 3
DECLINED = {"yes": "the answer was for another change than the one that was shown"}


def run_item(progress: Progress, step: Step, key: str) -> Asking[None]:
    """Runs one step, or one item of it, to its recorded end."""
    progress.doing = Doing(step, key)
    yield from progress.refresh("before the step", step)
    began = progress.snapshot.taken_at
    world = world_of(progress.runbook, progress.snapshot)
    item = look_up(step, key, world)
    if isinstance(item, PlannedStep):
        yield from _not_run(progress, step, item)
        return
    bound = bind_action(step, world.at(item=item[1]))
    action = bound if isinstance(bound, Action) else None
    planned: PlannedStep | None = _decide(progress, step, item, action)
    looks = progress.looks_of(planned.change if planned else None)
    if done := next((look for look in looks if look.once and look.found == "done"), None):
        why = f"run {done.run} has carried it out, started {clock(done.started)}: {done.why}; it is not repeated"
        yield from progress.record(step, key, "not_needed", why=why, hint=_once_more(done))
        return
    if planned is not None and (planned.gate or any(look.once and not look.settled for look in looks)):
        planned = yield from _gate(progress, step, item, planned, action)
    if planned is None:
        return
    if planned.change is None or action is None:
        yield from _not_run(progress, step, planned)
        return
    late = False
    waits = planned.change.risk >= Risk.MEDIUM
    while not (waits or late) or (yield from _turn(progress, step, item, planned, action, late=late)):
        approved = Approved(progress, step, item, action, planned.change, progress.snapshot, progress.failed_locked)
        late = yield from _is_late(carry_out(approved, began))
        if not late:
            return


def _is_late(carrying_out: Asking[None]) -> Asking[bool]:
    """Lives it; True where nothing was done yet, since what it rests on has grown old."""
    try:
        yield from carrying_out
    except OutOfDate:
        return True
    return False


def _turn(  # noqa: PLR0913  what was decided, and of what
    progress: Progress, step: Step, item: Item, planned: PlannedStep, action: Action, *, late: bool
) -> Asking[bool]:
    """Waits for its turn; whether what was approved is still due. Who had to wait, or is late, reads again."""
    change = planned.change
    if change is None:
        return False
    waited = yield from ask(Turn(planned.label, change))
    if not late and waited.at.since(progress.snapshot.taken_at) < WAITED:
        return True
    progress.fresh = 0
    yield from progress.refresh("it had to wait for its turn", step)
    now = _decide(progress, step, item, action)
    if now.change is not None and now.digest == planned.digest:
        return True
    if now.change is None:
        yield from _not_run(progress, step, now)
        return False
    why = f"the host moved on while this waited for its turn: it was: {_summary(planned)}; now: {_summary(now)}"
    yield from progress.record(step, item[0], "refused", why=why)
    progress.stop(f"step {step.spec.id} was refused")
    return False


def _not_run(progress: Progress, step: Step, planned: PlannedStep) -> Asking[None]:
    if planned.decision == "not_needed" and progress.too_short:
        yield from progress.record(step, planned.item, "blocked", why=TOO_SHORT)
        return
    state: StepState = "not_needed" if planned.decision == "not_needed" else "refused" if planned.rule else "blocked"
    yield from progress.record(step, planned.item, state, why=planned.why, hint=planned.hint, rule=planned.rule)


def _decide(progress: Progress, step: Step, item: Item, action: Action | None) -> PlannedStep:
    """The decision on the newest facts: at first the incident must apply, once something was changed not be over."""
    world = world_of(progress.runbook, progress.snapshot)
    if progress.acted:
        if incident_over(progress):
            return not_needed(step, item[0], "the incident is over: it recovered meanwhile")
        return again(step, item, world, uncertain=progress.uncertain or progress.too_short, carried=action)
    incident = progress.runbook.incident.evaluate(world).state
    if incident == "fails" and not progress.too_short:
        return not_needed(step, item[0], "the incident no longer applies: it recovered meanwhile")
    uncertain = progress.uncertain or incident != "holds"
    return again(step, item, world, uncertain=uncertain, carried=action)


def _gate(
    progress: Progress, step: Step, item: Item, planned: PlannedStep, action: Action | None
) -> Asking[PlannedStep | None]:
    """Asks, reads again, and lets through only what is still exactly what was approved."""
    changed = ""
    for _ in range(ASKED_AT_MOST):
        looks = progress.looks_of(planned.change)
        question = AskApproval(
            planned,
            progress.snapshot.taken_at,
            reasons(progress.runbook, step, item, progress.snapshot),
            changed,
            looks,
        )
        approval = yield from ask(question)
        progress.fresh = 0
        if approval.answer == "yes" and approval.again != question.again:
            why = f"it is repeated on its own word alone: {question.again}"
            yield from _declined(progress, step, item[0], "no", why)
            return None
        if approval.answer != "yes" or approval.digest != planned.digest:
            yield from _declined(progress, step, item[0], approval.answer, approval.why)
            return None
        yield from progress.refresh("after the gate", step)
        now = _decide(progress, step, item, action)
        if now.change is None or now.digest == planned.digest:
            if now.change is not None and question.again:
                yield from _let_again(progress, looks, approval.how)
            return now
        changed = f"it was: {_summary(planned)}; now it would be: {_summary(now)}"
        planned = now
        if approval.how != "terminal":
            break
    yield from progress.record(step, item[0], "refused", why=f"the host moved on after the answer: {changed}")
    progress.stop(f"step {step.spec.id} was refused")
    return None


def _let_again(progress: Progress, looks: tuple[LookedAt, ...], how: str) -> Asking[None]:
    """Records that a person lets what is unknown happen once more: it is open no longer."""
    for look in looks:
        if not look.settled:
            said = msgspec.structs.replace(look, found="again", why=how)
            progress.looks[progress.looks.index(look)] = said
            yield from ask(Record(said))


def _declined(progress: Progress, step: Step, item: str, answer: str, why: str) -> Asking[None]:
    if answer == "skip":
        yield from progress.record(step, item, "skipped", why=why or "skipped at the gate")
        return
    yield from progress.record(step, item, "refused", why=why or DECLINED.get(answer, "declined at the gate"))
    progress.stop(f"step {step.spec.id} was refused")


def _once_more(look: LookedAt) -> str:
    return f"where it is due once more, run this again: after this run {look.action} of {look.target} is decided afresh"


def _summary(planned: PlannedStep) -> str:
    change = planned.change
    return f"{change.summary} ({change.identity or change.target})" if change else planned.why
