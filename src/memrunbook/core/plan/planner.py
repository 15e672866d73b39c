"""Decides steps on a snapshot: same runbook, same snapshot, same plan. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from memrunbook.core.action.action import Action, Blocked, Change, Decision, NotNeeded, Repeat, Risk
from memrunbook.core.action.care import with_care
from memrunbook.core.action.policy import UNLISTED, UnitPolicy
from memrunbook.core.action.protect import named_only_unit
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.forbidden import forbidden
from memrunbook.core.plan.nothing import nothing_found, why_not
from memrunbook.core.plan.plan import Plan, PlannedStep, Reasons, reason, word
from memrunbook.core.plan.reasons import reasons
from memrunbook.core.plan.rules import ruled_out
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Proof, Runbook, Step
from memrunbook.core.runbook.condition import Condition
from memrunbook.core.runbook.values import computed
from memrunbook.core.runbook.world import World
from memrunbook.core.units import Duration, Size, decode

VALID_FOR = 900.0
Item = tuple[str, dict[str, Any] | None]


def make_plan(runbook: Runbook, snapshot: Snapshot) -> Plan:
    """All steps decided on one snapshot; those behind the first change are provisional."""
    world = world_of(runbook, snapshot)
    incident = runbook.incident.verdict(world)
    planned: list[PlannedStep] = []
    for step in runbook.steps:
        if incident.state == "fails":
            planned.append(_described(step, "", NotNeeded("the incident does not apply")))
            continue
        for decided in plan_items(step, world, uncertain=incident.state == "unknown"):
            behind = any(_changes(earlier) for earlier in planned)
            evidence = _evidence(runbook, step, decided, world)
            planned.append(msgspec.structs.replace(decided, provisional=behind, evidence=evidence))
    return Plan(
        runbook=runbook.name,
        runbook_digest=runbook.digest,
        host=snapshot.host,
        identity=snapshot.identity,
        taken_at=snapshot.taken_at,
        expires_at=snapshot.taken_at.utc + VALID_FOR,
        steps=tuple(planned),
    )


def _evidence(runbook: Runbook, step: Step, decided: PlannedStep, world: World) -> Reasons:
    """What whoever is asked for a step later than now will be shown."""
    found = items_of(step, world, limit=step.spec.limit) if decided.gate else []
    known = () if isinstance(found, Unavailable) else found
    return next((reasons(runbook, step, item, world.snapshot) for item in known if item[0] == decided.item), ())


def plan_items(step: Step, world: World, *, uncertain: bool = False) -> Iterable[PlannedStep]:
    """The decision on a step, or on each of its items."""
    found = items_of(step, world, limit=step.spec.limit)
    if isinstance(found, Unavailable):
        return [_described(step, "", Blocked(f"its items are unknown: {found.why}"))]
    if not found:
        return [_described(step, "", NotNeeded(nothing_found(step.for_each, world)))]
    return [plan_step(step, item, world, uncertain=uncertain) for item in found]


def items_of(step: Step, world: World, *, limit: int | None = None) -> list[Item] | Unavailable:
    """A step's items, at most `limit`, the first of each key; a step without `for_each` has the one item ""."""
    if step.for_each is None or step.key is None:
        return [("", None)]
    values = step.for_each.value(world)
    if isinstance(values, Unavailable):
        return values
    found: dict[str, dict[str, Any] | None] = {}
    for value in values:
        if len(found) == limit:
            break
        key = step.key.value(world.at(item=value))
        if isinstance(key, Unavailable):
            return key
        found.setdefault(str(key), value)
    return list(found.items())


def plan_step(
    step: Step, item: Item, world: World, *, uncertain: bool = False, carried: Action | None = None
) -> PlannedStep:
    """The decision on one step and item: `when`, guards, the action itself, rules of safety, service policy, config.

    `carried` is the action as it was shown at a gate: values derived from measurements are not computed again.
    """
    key, value = item
    here = world.at(item=value)
    decision = _conditions(step, here) or _decide(step, here, carried)
    if not isinstance(decision, NotNeeded):
        decision = ruled_out(step.action, decision, world.snapshot) or decision
    if uncertain and isinstance(decision, Change) and not _harmless(decision):
        decision = Blocked("it is unknown whether the incident applies", "see the unknown checks above")
    if isinstance(decision, Change):
        decision = forbidden(decision, world.snapshot.rules, world.snapshot) or decision
    planned = _described(step, key, decision)
    return msgspec.structs.replace(planned, given=_given(step, decision, world.parameters))


def again(
    step: Step, item: Item, world: World, *, uncertain: bool = False, carried: Action | None = None
) -> PlannedStep:
    """The decision on fresh facts, the item looked up again."""
    fresh = look_up(step, item[0], world)
    if isinstance(fresh, PlannedStep):
        return fresh
    return plan_step(step, fresh, world, uncertain=uncertain, carried=carried)


def look_up(step: Step, key: str, world: World) -> Item | PlannedStep:
    """An item as it is by now; not needed where it is gone.

    `limit` bounds how many are begun, not which are still there: one that others outgrew meanwhile is still found.
    """
    found = items_of(step, world)
    if isinstance(found, Unavailable):
        return _described(step, key, Blocked(f"its items are unknown: {found.why}"))
    fresh = dict(found)
    return (key, fresh[key]) if key in fresh else not_needed(step, key, f"{key} no longer matches")


def not_needed(step: Step, item: str, why: str) -> PlannedStep:
    """The step as not needed."""
    return _described(step, item, NotNeeded(why))


def proof_of(step: Step, change: Change) -> Proof | None:
    """What must hold after a change: the runbook's `verify`, else the action's own."""
    if step.verify is not None or change.verify is None:
        return step.verify
    own = change.verify
    return Proof(Condition((step.scope.compile(own.that, boolean=True),)), own.within, own.hold)


def _conditions(step: Step, world: World) -> Decision | None:
    if step.when is not None:
        wanted = step.when.verdict(world)
        if wanted.state == "fails":
            return NotNeeded(f"not wanted: {why_not(step.when, world)}")
        if wanted.state == "unknown":
            return Blocked(f"it is unknown whether it is wanted: {wanted.why}")
    for guard in step.guards:
        verdict = guard.that.verdict(world)
        if not verdict.holds:
            unknown = f" (unknown: {verdict.why})" if verdict.state == "unknown" else ""
            return Blocked(f"guard: {guard.why}{unknown}", f"it runs when {guard.that.source}")
    return None


def _decide(step: Step, world: World, carried: Action | None) -> Decision:
    action = carried or bind_action(step, world)
    if isinstance(action, Blocked):
        return action
    decision = decide(action, world.snapshot)
    if not isinstance(decision, Change) or not action.policy or not step.chosen_by_rule:
        return decision
    return _permitted(decision, action, world.snapshot)


def decide(action: Action, snapshot: Snapshot) -> Decision:
    """What an action would do on a host, with what `services.yaml` asks for around it."""
    decision = action.decide(snapshot)
    if not isinstance(decision, Change) or not decision.touches:
        return decision
    care = policy_of(decision.touches, snapshot).care
    if care is None:
        return decision
    unit = _unit_of(decision.touches, snapshot)
    down = action.leaves == "running" and getattr(unit, "active", True) is False
    return with_care(decision, care, "" if down else action.leaves)


def bind_action(step: Step, world: World) -> Action | Blocked:
    """The action with its parameters computed in this world."""
    values: dict[str, Any] = {}
    for name, value in step.values.items():
        values[name] = computed(value, world, partial(_typed, step.action, name))
        if isinstance(values[name], Unavailable):
            return Blocked(f"{name} is unknown: {values[name].why}")
    try:
        return msgspec.convert(values, step.action, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        return Blocked(f"its parameters do not fit: {error}")


def _typed(action: type[Action], name: str, value: Any) -> Any:
    """A computed number where a size or duration is due is bytes or seconds: expressions have no other unit."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    kinds = {
        kind for field in msgspec.structs.fields(action) if field.encode_name == name for kind in _kinds(field.type)
    }
    return Size(value) if Size in kinds else Duration(value) if Duration in kinds else value


def _decoded(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else decode(kind, value)


def _kinds(hint: Any) -> Iterable[Any]:
    """The plain types inside of `Annotated[Size | None, ...]`."""
    inner = getattr(hint, "__args__", ())
    return [kind for part in inner for kind in _kinds(part)] if inner else [hint]


def _permitted(change: Change, action: Action, snapshot: Snapshot) -> Decision:
    unit = change.touches
    policy = policy_of(unit, snapshot)
    if named_only_unit(unit) or policy.kind == "database":
        return Blocked(
            f"{unit} is never chosen by a rule (database, runtime or cluster member)",
            "name it in a runbook of your own, or act by hand",
            rule=True,
        )
    permission = getattr(policy, action.policy)
    if permission == "no":
        return Blocked(f"services.yaml says {action.policy}: no for {unit}", rule=True)
    if permission == "yes":
        return change
    return msgspec.structs.replace(change, risk=Risk.HIGH)


def policy_of(unit: str, snapshot: Snapshot) -> UnitPolicy:
    """The service policy of a unit of this snapshot."""
    found = _unit_of(unit, snapshot)
    return UNLISTED if found is None else found.policy


def _unit_of(name: str, snapshot: Snapshot) -> Any:
    """A unit of this snapshot, as its fact has it; None where it is not there."""
    units = snapshot.value("units.all")
    return None if isinstance(units, Unavailable) else next((unit for unit in units if unit.name == name), None)


def _described(step: Step, item: str, decision: Decision) -> PlannedStep:
    why, hint = reason(decision)
    change = decision if isinstance(decision, Change) else None
    proof = proof_of(step, change) if change else None
    return PlannedStep(
        id=step.spec.id,
        name=step.spec.name,
        action=step.spec.action,
        item=item,
        decision=word(decision),
        why=why,
        hint=hint,
        rule=isinstance(decision, Blocked) and decision.rule,
        change=change,
        verify=proof.that.source if proof else "",
        within=proof.within if proof else 0.0,
        hold=proof.hold if proof else 0.0,
        gate=change is not None and (change.risk > Risk.NONE or step.spec.confirm == "always"),
    )


def _given(step: Step, decision: Decision, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a change's proof names, with their values."""
    proof = proof_of(step, decision) if isinstance(decision, Change) else None
    names = [name.removeprefix("parameters.") for part in proof.that.parts for name in part.names] if proof else []
    return {name: parameters[name] for name in names if name in parameters}


def _changes(step: PlannedStep) -> bool:
    return step.change is not None and step.change.repeat is not Repeat.READ


def _harmless(change: Change) -> bool:
    return change.repeat is Repeat.READ and change.risk is Risk.NONE
