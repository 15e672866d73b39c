"""Takes back what a run has changed on a host: a plan of its own, the newest change first, each behind a gate.

Nothing is taken back that is not this run's any more: each change is looked at when it is planned, before its gate,
behind it, and again when it was taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from memrunbook.core.action.action import Change
from memrunbook.core.errors import Interrupted, Refused, RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.plan import Plan, PlannedStep
from memrunbook.core.plan.planner import VALID_FOR
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.cut_off import NOT_REACHED, REFUSED, UNCHANGED
from memrunbook.core.run.event import Outcome, RunFinished, StepFinished, StepState, StillHeld, UndoPlanned
from memrunbook.core.run.made import Made
from memrunbook.core.run.request import (
    AskApproval,
    Asking,
    Compare,
    Compared,
    Done,
    Execute,
    Failed,
    ReadFacts,
    Record,
    TakesBack,
    Unknown,
    Unlock,
    Wait,
    ask,
    lock_host,
)
from memrunbook.core.run.run import ENDS, TOLD
from memrunbook.core.run.undo_plan import RunToUndo, decide, planned, touches_the_same

FACTS = ("holds", "host")
OTHER_MACHINE = "this is another machine than the one that the run worked on"


@dataclass
class Undoing:
    """How far an undo has come; `kept` are the steps that were to be taken back and were not."""

    past: RunToUndo
    snapshot: Snapshot
    plan: Plan
    finished: list[StepFinished] = field(default_factory=list)
    kept: list[PlannedStep] = field(default_factory=list)
    doing: PlannedStep | None = None
    executed: bool = False
    locked: bool = False
    ending: str = ""

    def record(self, step: PlannedStep, state: StepState, why: str = "", **more: object) -> Asking[None]:
        """Records how a step ended."""
        summary = step.change.summary if step.change else step.name
        end = StepFinished(id=step.id, name=step.name, action=step.action, item=step.item, state=state, why=why,
                           summary=summary, **more)  # type: ignore[arg-type]  # fmt: skip
        self.finished.append(end)
        self.kept += [step] if step.change is not None and state not in ("done", "not_needed") else []
        self.doing, self.executed = None, False
        yield from ask(Record(end))


def undo_run(past: RunToUndo, *, only_plan: bool = False) -> Asking[None]:
    """Takes back what `past` says; with `only_plan` the plan is recorded and nothing else is done."""
    try:
        snapshot = yield from ask(ReadFacts(FACTS, 1, 0.0, "which host this is, and what is held on it"))
        if past.machine_id and snapshot.identity.machine_id not in ("", past.machine_id):
            hint = "name the host that it worked on with --host"
            yield from ask(Record(RunFinished("refused", OTHER_MACHINE, hint=hint)))
            return
        plan = yield from _plan(past, snapshot)
    except TOLD as error:
        yield from ask(Record(RunFinished(_end_of(error), str(error), hint=error.hint)))
        return
    yield from ask(Record(UndoPlanned(past.run, plan)))
    if only_plan:
        return
    undoing = Undoing(past, snapshot, plan)
    try:
        yield from _live(undoing)
    except TOLD as error:
        yield from _cut_short(undoing, error)
    if undoing.locked:
        with suppress(*TOLD):  # everything is recorded; a lock left behind is found as stale
            yield from ask(Unlock())


def _plan(past: RunToUndo, snapshot: Snapshot) -> Asking[Plan]:
    steps: list[PlannedStep] = []
    for one in reversed(past.made):
        looked = yield from _look(past, one)
        steps.append(decide(past, one, looked, snapshot, steps))
    return Plan(
        runbook=past.name,
        runbook_digest=past.digest,
        host=snapshot.host,
        identity=snapshot.identity,
        taken_at=snapshot.taken_at,
        expires_at=snapshot.taken_at.utc + VALID_FOR,
        steps=tuple(steps),
    )


def _look(past: RunToUndo, one: Made) -> Asking[Compared | None]:
    """What is there now; None where there is nothing to look at."""
    undo = one.original.undo
    if undo is None or past.known(one):
        return None
    looked = yield from ask(Compare(one.step, undo))
    return looked


def _live(undoing: Undoing) -> Asking[None]:
    if undoing.plan.changes:
        yield from lock_host()
        undoing.locked = True
    for step, one in zip(undoing.plan.steps, reversed(undoing.past.made), strict=True):
        if undoing.ending:
            yield from undoing.record(step, "skipped", undoing.ending)
        elif step.change is None:
            yield from _not_done(undoing, step, one)
        else:
            undoing.doing = step
            yield from _step(undoing, one)
    snapshot = undoing.snapshot
    if undoing.locked:
        snapshot = yield from ask(ReadFacts(FACTS, 1, 0.0, "what is held on the host now"))
    yield from _finish(undoing, snapshot)


def _not_done(undoing: Undoing, step: PlannedStep, one: Made) -> Asking[None]:
    above = next((kept for kept in undoing.kept if touches_the_same(one, kept)), None)
    if step.decision == "blocked" and above is not None:
        why = f"{above.label} has changed the same since, and was not taken back"
        yield from undoing.record(step, "skipped", why)
        return
    state: StepState = "refused" if step.rule else "not_needed" if step.decision == "not_needed" else "blocked"
    yield from undoing.record(step, state, step.why, hint=step.hint, rule=step.rule)


def _step(undoing: Undoing, one: Made) -> Asking[None]:
    """Looks, asks, looks again, and takes back what is still this run's."""
    now, looked = yield from _again(undoing, one)
    if now.change is None:
        yield from _not_done(undoing, now, one)
        return
    at = looked.at if looked else undoing.snapshot.taken_at
    doubt = ((undoing.past.unproven, ()),) if undoing.past.unproven else ()
    evidence = (*doubt, (f"run {undoing.past.run} changed it", ()), (one.change.summary, ()))
    approval = yield from ask(AskApproval(now, at, evidence))
    if approval.answer != "yes" or approval.digest != now.digest:
        yield from _declined(undoing, now, approval.answer, approval.why)
        return
    now, _ = yield from _again(undoing, one)
    if now.change is None:
        yield from _not_done(undoing, now, one)
    else:
        yield from _carry_out(undoing, now, now.change, one)


def _again(undoing: Undoing, one: Made) -> Asking[tuple[PlannedStep, Compared | None]]:
    """The decision on what is there now."""
    looked = yield from _look(undoing.past, one)
    return decide(undoing.past, one, looked, undoing.snapshot, ()), looked


def _declined(undoing: Undoing, step: PlannedStep, answer: str, why: str) -> Asking[None]:
    if answer == "skip":
        yield from undoing.record(step, "skipped", why or "skipped at the gate")
        return
    yield from undoing.record(step, "refused", why or "declined at the gate")
    if answer in ("quit", "quit-all"):
        undoing.ending = f"stopped at the gate of {step.label}"


def _carry_out(undoing: Undoing, step: PlannedStep, change: Change, one: Made) -> Asking[None]:
    of = TakesBack(one.change, undoing.past.run) if one.of is None else None
    done = yield from ask(Execute(step.label, change, of=of))
    undoing.executed = True
    if change.settle:
        yield from ask(Wait(change.settle, "until it has settled"))
    looked = yield from _look(undoing.past, one)
    state = planned(one, looked)
    why = "" if isinstance(done, Done) else done.why
    if state == "back" or (state == "unseen" and isinstance(done, Done)):
        seen = "" if state == "back" else "its undo ended well; this recording of it cannot be looked at"
        back_at = done.at.utc + change.back_after if change.back_after else 0.0
        yield from undoing.record(step, "done", seen, seconds=_took(looked, done.at, done.seconds), back_at=back_at)
    elif isinstance(done, Unknown):
        yield from undoing.record(step, "unknown", why, left=True, open=change.repeat.value == "once")
        undoing.ending = f"the outcome of {step.label} is unknown"
    else:
        found = f"it is not as it was before{f' ({looked.why})' if looked and looked.why else ''}"
        left = not (isinstance(done, Failed) and done.untouched)
        yield from undoing.record(step, "failed", "; ".join(part for part in (why, found) if part), left=left)


def _took(looked: Compared | None, ended: Instant, seconds: float) -> float:
    return round(seconds + (max(0.0, looked.at.since(ended)) if looked else 0.0), 3)


def _finish(undoing: Undoing, snapshot: Snapshot) -> Asking[None]:
    held = held_words(snapshot)
    if held:
        yield from ask(Record(StillHeld(held)))
    yield from ask(Record(RunFinished(_outcome(undoing), _counted(undoing))))


def _outcome(undoing: Undoing) -> Outcome:
    states = {finished.state for finished in undoing.finished}
    if "unknown" in states:
        return "unknown"
    if "failed" in states:
        return "failed"
    if states & {"refused", "skipped"} or undoing.past.conflicts(undoing.finished):
        return "refused"
    return "restored" if states - {"blocked"} else "refused"


COUNTED: Mapping[StepState, str] = {
    "done": "taken back",
    "not_needed": "not needed",
    "blocked": "left alone",
    "refused": "refused",
    "skipped": "skipped",
    "failed": "failed",
    "unknown": "unknown",
    "interrupted": "interrupted",
}


def _counted(undoing: Undoing) -> str:
    states = [finished.state for finished in undoing.finished]
    parts = [f"{states.count(state)} {word}" for state, word in COUNTED.items() if state in states]
    return ", ".join(parts)


def _cut_short(undoing: Undoing, error: RunbookError) -> Asking[None]:
    """Records the step that was under way, what was not reached, and the end."""
    outcome = _end_of(error)
    if undoing.doing is not None:
        unbegun: StepState = "refused" if isinstance(error, Refused) else "interrupted"
        state: StepState = "unknown" if undoing.executed and not isinstance(error, Interrupted) else unbegun
        carried = "carried out, but not looked at again" if undoing.executed else UNCHANGED
        yield from undoing.record(undoing.doing, state, f"{carried}: {error}", left=undoing.executed)
    unreached = REFUSED if outcome == "refused" else f"{NOT_REACHED}{error.message.partition(': ')[0]}"
    ended = {(finished.id, finished.item) for finished in undoing.finished}
    for step in undoing.plan.steps:
        if (step.id, step.item) not in ended:
            yield from undoing.record(step, "skipped", unreached)
    if any(finished.state == "unknown" for finished in undoing.finished):
        outcome = "unknown"
    yield from ask(Record(RunFinished(outcome, str(error), hint=error.hint)))


def _end_of(error: RunbookError) -> Outcome:
    return next(outcome for kind, outcome in ENDS.items() if isinstance(error, kind))
