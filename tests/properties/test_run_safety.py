"""What must hold of a run in any world: whatever is read, answered, executed, refused or broken off."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from random import Random
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from tests.lab.worlds import Choose, Run, Told, play, some_runbook

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.planner import make_plan, proof_of
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Diagnosed, Outcome, RunFinished, StepFinished, StepState
from memrunbook.core.run.request import AskApproval, Done, Execute, Failed, Lock, ReadFacts, Record, Unlock, Wait

SEEN = 5


def forward(run: Run) -> list[tuple[int, Execute]]:
    return [(n, request) for n, request in run.executed if not request.undo]


def changes(run: Run) -> list[tuple[int, Execute]]:
    return [(n, request) for n, request in forward(run) if request.change.repeat is not Repeat.READ]


def before(run: Run, n: int, *kinds: type) -> Told:
    return next(told for told in reversed(run.told[:n]) if isinstance(told.request, kinds))


def newest(run: Run, n: int) -> Snapshot:
    snapshot: Snapshot = before(run, n, ReadFacts).answer
    return snapshot


def label(event: StepFinished) -> str:
    return f"{event.id}/{event.item}" if event.item else event.id


def state(run: Run, snapshot: Snapshot) -> str:
    return run.runbook.incident.evaluate(world_of(run.runbook, snapshot)).state


def nothing_runs_without_a_yes_for_exactly_its_digest(run: Run) -> None:
    for n, request in forward(run):
        step = run.step(request.step)
        if request.change.risk > Risk.NONE or step.spec.confirm == "always":
            asked = before(run, n, AskApproval)
            assert isinstance(asked.request, AskApproval)
            assert asked.request.step.label == request.step
            assert asked.answer.answer == "yes"
            assert asked.answer.digest == asked.request.step.digest == request.change.digest


def every_change_follows_a_fresh_reading(run: Run) -> None:
    for n, request in changes(run):
        last = before(run, n, ReadFacts, AskApproval, Execute, Wait)
        assert isinstance(last.request, ReadFacts)
        assert run.runbook.facts <= set(last.request.facts)
        assert request.change.identity == f"{request.change.target} {pid_of(last.answer, request.change.target)}"


def pid_of(snapshot: Snapshot, unit: str) -> int | None:
    return next((service.main_pid for service in snapshot.value("units.all") if service.name == unit), None)


def its_conditions_hold_on_that_reading(run: Run) -> None:
    for n, request in forward(run):
        step = run.step(request.step)
        world = world_of(run.runbook, newest(run, n)).at(item=item_of(run, n, request.step))
        assert step.when is None or step.when.evaluate(world).holds
        assert all(guard.that.evaluate(world).holds for guard in step.guards)


def item_of(run: Run, n: int, name: str) -> dict[str, object] | None:
    step, key = run.step(name), name.partition("/")[2]
    if step.for_each is None:
        return None
    items = step.for_each.value(world_of(run.runbook, newest(run, n)))
    (item,) = [item for item in items if item["name"] == key]
    found: dict[str, object] = item
    return found


def nothing_runs_after_the_end_was_decided(run: Run) -> None:
    for n, told in enumerate(run.told):
        event = told.request.event if isinstance(told.request, Record) else None
        if not isinstance(event, StepFinished):
            continue
        failed = event.state in ("failed", "undone") and run.step(event.id).spec.on_failure == "stop"
        if failed or event.state in ("refused", "unknown", "interrupted"):
            assert not any(isinstance(later.request, Execute) for later in run.told[n:])


def done_means_proven(run: Run) -> None:
    for event in run.finished:
        if event.state == "done":
            n, request = next((n, r) for n, r in reversed(forward(run)) if r.step == label(event))
            assert isinstance(run.told[n].answer, Done) or request.change.repeat is Repeat.IDEMPOTENT
            if request.change.repeat is not Repeat.READ:
                has_held(run, event, n, request.change)


def has_held(run: Run, event: StepFinished, n: int, change: Change) -> None:
    proof = proof_of(run.step(event.id), change)
    if proof is None:
        return
    end = next(m for m, told in enumerate(run.told) if is_record_of(told, event))
    reads = [t for t in run.told[n:end] if isinstance(t.request, ReadFacts) and t.request.why.startswith("verify")]
    # The proofs of these worlds look at no more of an item than its name, which stays.
    place = {"before": newest(run, n), "item": item_of(run, n, label(event)), "target": change.target}

    def good(told: Told) -> bool:
        return proof.that.evaluate(world_of(run.runbook, told.answer).at(**place)).holds

    held = list(takewhile(good, reversed(reads)))
    assert held
    assert held[0].answer.taken_at.since(held[-1].answer.taken_at) >= proof.hold


def is_record_of(told: Told, event: StepFinished) -> bool:
    return isinstance(told.request, Record) and told.request.event is event


def what_failed_is_taken_back(run: Run) -> None:
    for event in run.finished:
        mine = [(n, r) for n, r in run.executed if r.step == label(event)]
        tried = [(n, r) for n, r in mine if not r.undo]
        back = [(n, r) for n, r in mine if r.undo]
        reads = bool(tried) and tried[-1][1].change.repeat is Repeat.READ
        if event.state in ("failed", "undone") and tried[-1][1].change.undo and not reads:
            auto = tried[-1][1].change.undo.mode == "auto"
            assert len(back) == (1 if auto or agreed(run, tried[-1][0], label(event)) else 0)
        if event.state == "undone":
            assert back[0][0] > tried[-1][0]
            assert isinstance(run.told[back[0][0]].answer, Done)
        if event.state not in ("failed", "undone", "interrupted", "unknown"):
            assert not back


def agreed(run: Run, n: int, name: str) -> bool:
    """Whether somebody said yes to taking back what was carried out at the n-th question."""
    for told in run.told[n:]:
        question = told.request
        if isinstance(question, AskApproval) and question.offered and question.step.label == name and not told.error:
            return bool(told.answer.answer == "yes" and told.answer.digest == question.step.digest)
    return False


def what_a_run_changed_is_proven_taken_back_or_said(run: Run) -> None:
    """There is no fourth case."""
    ends = {label(event): event for event in run.finished}
    for n, request in changes(run):
        answer = run.told[n].answer
        if isinstance(answer, Failed) and answer.untouched:
            continue
        end = ends[request.step]
        assert end.state in ("done", "undone") or end.left, end
        assert not (end.state in ("done", "undone") and end.left)


def every_step_has_one_record(run: Run) -> None:
    assert all(count == 1 for count in Counter(label(event) for event in run.finished).values())
    assert isinstance(run.events[-1], RunFinished)
    assert run.end.outcome
    began = any(isinstance(event, Diagnosed) for event in run.events)
    if began and run.end.outcome != "healthy":
        assert {event.id for event in run.finished} == {step.spec.id for step in run.runbook.steps}
    assert {request.step for _, request in run.executed} <= {label(event) for event in run.finished}


def what_may_happen_once_happens_once(run: Run) -> None:
    once = Counter(request.step for _, request in forward(run) if request.change.repeat is Repeat.ONCE)
    assert all(count == 1 for count in once.values())
    for name, count in Counter(request.step for _, request in forward(run)).items():
        retries = run.step(name).spec.retries
        assert count <= 1 + (retries.times if retries else 0)


def an_open_end_is_unknown(run: Run) -> None:
    for event in run.finished:
        if event.open:
            assert run.end.outcome == "unknown"
    for n, request in changes(run):
        if request.change.repeat is Repeat.ONCE and type(run.told[n].answer).__name__ == "Unknown":
            assert next(event for event in run.finished if label(event) == request.step).open


def only_an_incident_that_holds_is_acted_on(run: Run) -> None:
    if changes(run):
        assert state(run, run.told[0].answer) == "holds"
        assert state(run, newest(run, changes(run)[0][0])) == "holds"
    if run.told[0].error is None and state(run, run.told[0].answer) == "fails":
        assert not run.executed
        assert run.end.outcome == "healthy"


def changes_are_made_under_the_lock(run: Run) -> None:
    locked = [n for n, told in enumerate(run.told) if isinstance(told.request, Lock) and not told.error]
    given = [n for n, told in enumerate(run.told) if isinstance(told.request, Unlock)]
    assert len(given) == len(locked) <= 1
    for n, request in run.executed:
        assert request.change.repeat is Repeat.READ or locked[0] < n < given[0]


def for_each_is_bounded(run: Run) -> None:
    for step in run.runbook.steps:
        begun = {request.step for _, request in run.executed if request.step.partition("/")[0] == step.spec.id}
        assert len(begun) <= step.spec.limit


def resolved_is_proven(run: Run) -> None:
    if run.end.outcome != "resolved":
        return
    last = [told.answer for told in run.told if isinstance(told.request, ReadFacts) and not told.error][-1]
    resolved = run.runbook.resolved or run.runbook.incident
    world = world_of(run.runbook, last).at(before=run.told[0].answer)
    assert resolved.evaluate(world).state == ("holds" if run.runbook.resolved else "fails")


PROPERTIES = [
    nothing_runs_without_a_yes_for_exactly_its_digest, every_change_follows_a_fresh_reading,
    its_conditions_hold_on_that_reading, nothing_runs_after_the_end_was_decided, done_means_proven,
    what_failed_is_taken_back, what_a_run_changed_is_proven_taken_back_or_said, every_step_has_one_record,
    what_may_happen_once_happens_once, an_open_end_is_unknown, only_an_incident_that_holds_is_acted_on,
    changes_are_made_under_the_lock, for_each_is_bounded, resolved_is_proven,
]  # fmt: skip


def check(choose: Choose) -> Run:
    runbook = some_runbook(choose)
    run = play(runbook, choose)
    for holds in PROPERTIES:
        holds(run)
    for event in run.events:
        if isinstance(event, Diagnosed):
            assert make_plan(runbook, run.told[0].answer) == event.plan
    return run


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_world(data: DataObject) -> None:
    check(lambda options: data.draw(st.sampled_from(options)))


def test_a_thousand_worlds_and_all_that_can_happen_in_them() -> None:
    runs = []
    for seed in range(1000):
        try:
            runs.append(check(Random(seed).choice))
        except BaseException as error:
            error.add_note(f"in world {seed}")
            raise
    states = Counter(event.state for run in runs for event in run.finished)
    outcomes = Counter(run.end.outcome for run in runs)
    assert set(states) == set(get_args(StepState))
    assert set(outcomes) == set(get_args(Outcome)) - {"restored", "not_begun"}, "no run by itself ends so"
    assert min(*states.values(), *outcomes.values()) >= SEEN
