"""Carries out one approved change: execute, settle, prove on fresh facts, and take back what did not help."""

from __future__ import annotations

from dataclasses import dataclass, field

from memrunbook.core.action.action import Action, Change, NotNeeded, Repeat
from memrunbook.core.action.care import health_of
from memrunbook.core.action.moved import Moves, effect
from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.planner import Item, again, proof_of
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Signals, StepState
from memrunbook.core.run.harm import UnitNames, harm
from memrunbook.core.run.made import reversal
from memrunbook.core.run.progress import PAIR, Progress, facts_of, question, signals
from memrunbook.core.run.request import (
    AskApproval,
    Asking,
    Done,
    Execute,
    Executed,
    Failed,
    Unknown,
    Wait,
    ask,
)
from memrunbook.core.run.serving import around, served
from memrunbook.core.runbook.bound import Proof, Step
from memrunbook.core.runbook.spec import RetriesSpec
from memrunbook.core.units import format_duration

LIGHT = frozenset({"memory", "pressure", "vmstat"})
NOT_PROVEN = "it ran to its end; nothing says what would prove that it helped"
NOT_TAKEN_BACK = "it could not be taken back"


@dataclass(frozen=True)
class Approved:
    """One approved change of one step and item, and the snapshot from right before it.

    `failed_units` had failed by then, as was told behind the lock.
    """

    progress: Progress
    step: Step
    item: Item
    action: Action
    change: Change
    before: Snapshot
    failed_units: UnitNames
    label: str = field(init=False)

    def __post_init__(self) -> None:
        key = self.item[0]
        object.__setattr__(self, "label", f"{self.step.spec.id}/{key}" if key else self.step.spec.id)


def carry_out(approved: Approved, began: Instant, seen: Executed | None = None) -> Asking[None]:
    """Carries out a change, as often as an idempotent step may be tried, and records how it ended.

    `seen` is how an earlier beginning of it ended, which is not carried out again, only proven.
    """
    retries = approved.step.spec.retries if approved.change.repeat is Repeat.IDEMPOTENT else None
    left = retries.times if retries else 0
    executed, problem = yield from _attempt(approved, seen)
    while retries and left and problem and not isinstance(executed, Unknown):
        if not (yield from _may_repeat(approved, retries)):
            break
        left -= 1
        try:
            tried = yield from ask(Execute(approved.label, approved.change))
        except Refused as error:  # what was tried before is there, and is judged by that
            problem = f"{problem}; it was not tried again: {error}"
            break
        executed, problem = yield from _attempt(approved, tried)
    if isinstance(executed, Unknown):
        yield from _unknown(approved, executed, began)
    elif problem:
        yield from _failed(approved, executed, problem, began)
    else:
        yield from _done(approved, executed, began)


def _attempt(approved: Approved, seen: Executed | None = None) -> Asking[tuple[Executed, str]]:
    """Executes and proves; the answer and what is wrong, empty where it is done."""
    progress, change = approved.progress, approved.change
    executed = seen or (yield from ask(Execute(approved.label, change)))
    progress.fresh = 0
    if change.repeat is Repeat.READ:
        return _looked(executed)
    progress.acted = progress.executed = True
    if isinstance(executed, Unknown) and change.repeat is Repeat.IDEMPOTENT:
        executed = yield from _probe(approved, executed)
    if not isinstance(executed, Done):
        return executed, executed.why
    problem = yield from _prove(approved, executed)
    return executed, problem


def _looked(executed: Executed) -> tuple[Executed, str]:
    """The end of a reading step: what was not seen to its end has failed, there is nothing that could be half done."""
    if isinstance(executed, Done):
        return executed, ""
    return Failed(executed.at, executed.why), executed.why


def _probe(approved: Approved, unknown: Unknown) -> Asking[Executed]:
    """Looks whether an idempotent change took effect although its end was not seen."""
    progress = approved.progress
    yield from progress.refresh("did it take effect?", approved.step)
    decision = approved.action.decide(progress.snapshot)
    at = progress.snapshot.taken_at
    if isinstance(decision, NotNeeded):
        return Done(at)
    if not isinstance(decision, Change):
        return Unknown(at, f"{unknown.why}, and it cannot be seen: {decision.why}")
    return Failed(at, f"{unknown.why}, and it did not take effect")


def _may_repeat(approved: Approved, retries: RetriesSpec) -> Asking[bool]:
    """Waits, and looks whether exactly the approved change would still be made."""
    progress = approved.progress
    yield from ask(Wait(retries.every, "before it is tried again"))
    progress.fresh = 0
    yield from progress.refresh("before it is tried again", approved.step)
    world = world_of(progress.runbook, progress.snapshot)
    planned = again(approved.step, approved.item, world, carried=approved.action)
    return planned.digest == approved.change.digest


def _prove(approved: Approved, executed: Done) -> Asking[str]:
    """What is wrong after the change; empty when its proof has held and nothing else got worse."""
    progress, change = approved.progress, approved.change
    if change.settle:
        yield from ask(Wait(change.settle, "until it has settled"))
    proof = proof_of(approved.step, change)
    problem = (yield from _held(approved, proof, executed.at)) if proof else ""
    problem = problem or (yield from served(progress, change, approved.label))
    yield from progress.refresh("did anything get worse?", approved.step, *progress.runbook.behind(approved.step))
    if problem:
        return problem
    failed = (approved.failed_units, progress.failed_units)
    worse = harm(approved.before, progress.snapshot, change.target, failed)
    return f"it did harm: {'; '.join(worse)}" if worse else ""


def _held(approved: Approved, proof: Proof, began: Instant) -> Asking[str]:
    """Reads until the proof has held for its hold time; what is wrong where that does not come in time."""
    progress = approved.progress
    facts, asked = _proof_facts(approved, proof), _first_facts(approved, proof)
    since: Instant | None = None
    ever = False
    every = progress.runbook.spec.sample.every
    while True:
        snapshot = yield from ask(question(progress.runbook, asked, PAIR, f"verify {approved.label}"))
        world = world_of(progress.runbook, snapshot)
        world = world.at(before=approved.before, item=approved.item[1], target=approved.change.target)
        verdict = proof.that.evaluate(world)
        now = snapshot.taken_at
        since = (since or now) if verdict.holds else None
        ever = ever or verdict.holds
        if since is not None and now.since(since) >= proof.hold:
            progress.take(snapshot, asked, PAIR)
            return ""
        if now.since(began) >= proof.within:
            return _unproven(proof, verdict.why, ever=ever)
        yield from ask(Wait(every, f"verify {approved.label}"))
        asked = facts


def _proof_facts(approved: Approved, proof: Proof) -> frozenset[str]:
    """What is looked at again and again until the proof holds."""
    judging = approved.progress.runbook.judging_facts if proof.that.uses_checks else frozenset[str]()
    return LIGHT | proof.that.facts | judging


def _first_facts(approved: Approved, proof: Proof) -> frozenset[str]:
    """What is looked at first: where that proves it, the same reading shows whether anything got worse.

    The next step is decided on it too, unless something happens in between.
    """
    progress = approved.progress
    facts = _proof_facts(approved, proof)
    return facts if proof.hold else facts | facts_of(progress, approved.step, *progress.runbook.behind(approved.step))


def _unproven(proof: Proof, why: str, *, ever: bool) -> str:
    """Says for how long a proof was waited for, and how near it came; `why` says what of it is unknown."""
    if ever:
        seen = "it was true for a moment"
    elif why:
        seen = f"unknown: {why}"
    else:
        seen = "it was never true"
    held = f" for {format_duration(proof.hold)}" if proof.hold else ""
    return f"it did not hold{held} within {format_duration(proof.within)} ({seen}): {proof.that.source}"


def _done(approved: Approved, executed: Executed, began: Instant) -> Asking[None]:
    evidence = executed.evidence if isinstance(executed, Done) else ""
    change = approved.change
    if change.repeat is Repeat.READ or proof_of(approved.step, change) is not None or health_of(change) is not None:
        yield from _record(approved, "done", around(change), executed, began, evidence=evidence)
    else:
        yield from _record(approved, "executed", NOT_PROVEN, executed, began, left=True)


def _failed(approved: Approved, executed: Executed, problem: str, began: Instant) -> Asking[None]:
    change = approved.change
    if change.repeat is Repeat.READ or (isinstance(executed, Failed) and executed.untouched):
        yield from _record(approved, "failed", problem, executed, began)
    else:
        state, back = yield from _taken_back(approved, executed, problem)
        why = f"{problem}; {back}" if back else problem
        yield from _record(approved, state, why, executed, began, left=state == "failed")
    if approved.step.spec.on_failure == "stop":
        approved.progress.failed = True
        approved.progress.stop(f"step {approved.step.spec.id} failed")


def _taken_back(approved: Approved, executed: Executed, problem: str) -> Asking[tuple[StepState, str]]:
    """Takes a change back that was not proven: at once, or where a person says so; how the step ended, and in words."""
    change = approved.change
    if change.undo is None or change.undo.mode == "none":
        return "failed", ""
    if change.undo.mode == "offer":
        refused = yield from _offered(approved, executed.at, problem)
        if refused:
            return "failed", f"it is left as it is: {refused}"
    approved.progress.fresh = 0
    back = yield from ask(Execute(approved.label, change, undo=True))
    return ("undone", "it was taken back") if isinstance(back, Done) else ("failed", f"{NOT_TAKEN_BACK}: {back.why}")


def _offered(approved: Approved, at: Instant, problem: str) -> Asking[str]:
    """Asks whether a change is to be taken back that may cost more than it did; why not, or empty for yes."""
    spec, change = approved.step.spec, reversal(approved.change)
    step = PlannedStep(
        id=spec.id, name=f"Take back: {spec.name}", action=spec.action, item=approved.item[0], decision="change",
        change=change, gate=True,
    )  # fmt: skip
    approval = yield from ask(AskApproval(step, at, ((f"it is not proven: {problem}", ()),), offered=True))
    approved.progress.fresh = 0
    if approval.answer == "yes" and approval.digest == change.digest:
        return ""
    return approval.why or "nobody said yes to taking it back"


def _unknown(approved: Approved, executed: Unknown, began: Instant) -> Asking[None]:
    is_open = approved.change.repeat is Repeat.ONCE
    yield from _record(approved, "unknown", executed.why, executed, began, is_open=is_open, left=True)
    approved.progress.stop(f"the outcome of step {approved.step.spec.id} is unknown")


def _record(  # noqa: PLR0913  the parts of one record
    approved: Approved,
    state: StepState,
    why: str,
    executed: Executed,
    began: Instant,
    *,
    evidence: str = "",
    is_open: bool = False,
    left: bool = False,
) -> Asking[None]:
    progress = approved.progress
    read, at = progress.snapshot.taken_at, executed.at
    before, after = _signals(approved)
    in_force = left or state == "done"
    judged = isinstance(executed, Done) and approved.change.repeat is not Repeat.READ
    yield from progress.record(
        approved.step,
        approved.item[0],
        state,
        why=why,
        summary=approved.change.summary,
        seconds=round((read if read.since(at) > 0 else at).since(began), 3),
        before=before,
        after=after,
        effect=effect(_moves(approved), before, after, progress.runbook.metrics) if judged else "",
        evidence=evidence,
        open=is_open,
        left=left,
        back_at=at.utc + approved.change.back_after if approved.change.back_after and in_force else 0.0,
    )


def _moves(approved: Approved) -> Moves:
    """What the step should move: what its action says, else any of the runbook's signals."""
    named = approved.action.moves
    return dict.fromkeys(approved.progress.runbook.spec.signals, "either") if named is None else named


def _signals(approved: Approved) -> tuple[Signals, Signals]:
    """The signals before and after; none after where nothing was read since."""
    runbook, now, more = approved.progress.runbook, approved.progress.snapshot, approved.action.moves or ()
    after = {} if now is approved.before else signals(runbook, now, more)
    return signals(runbook, approved.before, more), after
