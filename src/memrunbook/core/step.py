"""The life of one step: decide, ask, look again, carry out, prove, take back."""

from __future__ import annotations

from memrunbook.core.action import Action
from memrunbook.core.bound import Step
from memrunbook.core.carry_out import Approved, carry_out
from memrunbook.core.diagnosis import world_of
from memrunbook.core.effects import AskApproval, Asking, ask
from memrunbook.core.events import StepState
from memrunbook.core.plan import PlannedStep
from memrunbook.core.planner import Item, again, bind_action, not_needed, plan_step
from memrunbook.core.progress import Doing, Progress

ASKED_AT_MOST = 3


def run_item(progress: Progress, step: Step, item: Item) -> Asking[None]:
    """Runs one step, or one item of it, to its recorded end."""
    progress.doing = Doing(step, item[0])
    yield from progress.refresh("before the step")
    began = progress.snapshot.taken_at
    world = world_of(progress.runbook, progress.snapshot)
    carried = bind_action(step, world.at(item=item[1]))
    action = carried if isinstance(carried, Action) else None
    planned: PlannedStep | None = plan_step(step, item, world, uncertain=progress.uncertain, carried=action)
    if planned is not None and planned.gate:
        planned = yield from _gate(progress, step, item, planned, action)
    if planned is None:
        return
    if planned.change is None:
        state: StepState = "not_needed" if planned.decision == "not_needed" else "blocked"
        yield from progress.record(step, item[0], state, why=planned.why, hint=planned.hint)
        return
    yield from carry_out(Approved(progress, step, item, planned.change, progress.snapshot), began)


def _gate(
    progress: Progress, step: Step, item: Item, planned: PlannedStep, action: Action | None
) -> Asking[PlannedStep | None]:
    """Asks, reads again, and lets through only what is still exactly what was approved."""
    changed = ""
    for _ in range(ASKED_AT_MOST):
        question = AskApproval(planned, progress.snapshot.taken_at, _evidence(progress, step, item), changed)
        approval = yield from ask(question)
        if approval.answer != "yes" or approval.digest != planned.digest:
            yield from _declined(progress, step, item[0], approval.answer, approval.why)
            return None
        progress.fresh = False
        yield from progress.refresh("after the gate")
        now = _look_again(progress, step, item, action)
        if now.change is None or now.digest == planned.digest:
            return now
        changed = f"it was: {_summary(planned)}; now it would be: {_summary(now)}"
        planned = now
        if approval.how != "terminal":
            break
    yield from progress.record(step, item[0], "refused", why=f"the host moved on after the answer: {changed}")
    progress.stop(f"step {step.spec.id} was refused")
    return None


def _look_again(progress: Progress, step: Step, item: Item, action: Action | None) -> PlannedStep:
    world = world_of(progress.runbook, progress.snapshot)
    if not progress.acted and progress.runbook.incident.evaluate(world).state == "fails":
        return not_needed(step, item[0], "it recovered while the question was open: the incident no longer applies")
    return again(step, item, world, uncertain=progress.uncertain, carried=action)


def _declined(progress: Progress, step: Step, item: str, answer: str, why: str) -> Asking[None]:
    if answer == "skip":
        yield from progress.record(step, item, "skipped", why=why or "skipped at the gate")
        return
    yield from progress.record(step, item, "refused", why=why or "declined at the gate")
    progress.stop(f"step {step.spec.id} was refused")


def _summary(planned: PlannedStep) -> str:
    change = planned.change
    return f"{change.summary} ({change.identity or change.target})" if change else planned.why


def _evidence(progress: Progress, step: Step, item: Item) -> tuple[str, ...]:
    """What speaks for the step: the firing checks and, where it has one, its own condition."""
    world = world_of(progress.runbook, progress.snapshot).at(item=item[1])
    firing = [check.spec.name for check in progress.runbook.checks if world.checks.get(check.variable)]
    wanted = [line for line in step.when.evaluate(world).evidence if line.value is not None] if step.when else []
    return (*firing, *(f"{line.metric} = {line.value}" for line in wanted))
