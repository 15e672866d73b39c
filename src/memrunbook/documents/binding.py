"""Binds a runbook: compiles its expressions, checks its names, gives its parameters values; all problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from memrunbook import catalog
from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.runbook.bound import Cause, Check, Guard, Proof, Runbook, Step
from memrunbook.core.runbook.spec import RunbookSpec, StepSpec
from memrunbook.documents.binder import Binder, near
from memrunbook.documents.filling import Filling, told_elsewhere
from memrunbook.documents.parameters import parameter_values
from memrunbook.documents.source import Path, Source


class _Steps(Sequence[Step]):
    """The steps of a trusted runbook, bound when one is asked for: a diagnosis asks for none."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder

    @cached_property
    def _all(self) -> tuple[Step, ...]:
        return tuple(_steps(self._binder))

    def __getitem__(self, place: Any) -> Any:
        return self._all[place]

    def __len__(self) -> int:
        return len(self._all)


def bind(source: Source, spec: RunbookSpec, given: Mapping[str, str], origin: str, *, trusted: bool = False) -> Runbook:
    """The runbook, ready to run; DocumentError with every problem, UsageError for a wrong `-p`.

    Of a trusted one, which was bound without a problem before, only what is used is bound and compiled.
    """
    binder = Binder(source, spec, trusted)
    binder.told |= set() if trusted else {*told_elsewhere(binder), *source.unjudged}
    values = parameter_values(spec.parameters, given, binder.problem)
    _unique(binder, "checks", [check.id for check in spec.checks])
    _unique(binder, "steps", [step.id for step in spec.steps])
    _signals(binder)
    checks = tuple(
        Check(check, binder.condition(check.when, ("checks", index, "when"), binder.scope(checks=False)))
        for index, check in enumerate(spec.checks)
    )
    resolved = spec.resolved
    bound = Runbook(
        spec=spec,
        origin=origin,
        digest=source.digest,
        metrics=catalog.metrics(),
        parameters=values,
        checks=checks,
        incident=binder.condition(spec.incident, ("incident",), binder.scope()),
        resolved=binder.condition(resolved.that, ("resolved", "that"), binder.scope(step=True)) if resolved else None,
        hold=float(resolved.hold) if resolved else 0.0,
        causes=tuple(_causes(binder)),
        steps=_Steps(binder) if trusted else tuple(_steps(binder)),
    )
    if binder.problems:
        raise DocumentError(in_place(binder.problems))
    return bound


def in_place(problems: Iterable[Problem]) -> list[Problem]:
    """Problems of one file in the order of their places, each once."""
    return sorted(dict.fromkeys(problems), key=_place)


def _place(problem: Problem) -> tuple[int, ...]:
    """Its line and column."""
    return tuple(int(number) for number in problem.where.rsplit(":", 2)[1:])


def _unique(binder: Binder, where: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            binder.problem((where, index, "id"), f"the id {name!r} is used twice")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            binder.problem(
                (where, index, "id"), f"{name!r} is no id", "lower-case letters, digits and -, as in swap-less"
            )


def _signals(binder: Binder) -> None:
    for index, name in enumerate(binder.spec.signals):
        if name not in catalog.metrics():
            binder.problem(("signals", index), f"unknown metric {name!r}", near(name, catalog.metrics()))


def _causes(binder: Binder) -> list[Cause]:
    found = []
    for index, spec in enumerate(binder.spec.causes):
        path: Path = ("causes", index)
        items = binder.items(spec.from_, (*path, "from")) if spec.from_ else None
        scope = binder.item_scope(items)
        name = binder.expression(spec.name, (*path, "name"), scope)
        score = binder.expression(spec.score, (*path, "score"), scope)
        if name is not None and score is not None:
            found.append(Cause(spec, items, name, score))
    return found


def _steps(binder: Binder) -> list[Step]:
    found = []
    for index, spec in enumerate(binder.spec.steps):
        known = len(binder.problems)
        step = _step(binder, spec, ("steps", index))
        found += [step] if step is not None else []
        if spec.for_each and step is not None and step.for_each is None:
            # Without its list nothing is known of `item`: those are no problems of their own.
            own = [problem for problem in binder.problems[known:] if "'item" not in problem.message]
            binder.problems[known:] = own
    return found


def _step(binder: Binder, spec: StepSpec, path: Path) -> Step | None:
    actions = catalog.actions()
    if spec.action not in actions:
        binder.problem((*path, "action"), f"unknown action {spec.action!r}", near(spec.action, actions))
        return None
    action = actions[spec.action]
    if spec.retries is not None and action.repeat is not Repeat.IDEMPOTENT:
        repeated = f"{spec.action} is never repeated: its repeat class is {action.repeat.value}"
        binder.problem((*path, "retries"), repeated, "remove retries")
    if spec.verify is None and not action.proves_itself:
        told = f"{spec.action} needs a `verify`: only the runbook knows what it should bring about"
        binder.problem((*path, "action"), told, "add verify: {that: …, within: 1m}")
    for name, info in ((info.encode_name, info) for info in msgspec.structs.fields(action)):
        if info.required and name not in spec.with_:
            binder.problem((*path, "action"), f"{spec.action} needs the parameter {name!r}", f"with: {{{name}: …}}")
    each = binder.items(spec.for_each, (*path, "for_each")) if spec.for_each else None
    scope = binder.item_scope(each, step=True)
    proof = None
    if spec.verify is not None:
        that = binder.condition(spec.verify.that, (*path, "verify", "that"), scope)
        proof = Proof(that, float(spec.verify.within), float(spec.verify.hold))
    guards = tuple(
        Guard(binder.condition(guard.that, (*path, "guard", index, "that"), scope), guard.why)
        for index, guard in enumerate(spec.guard)
    )
    return Step(
        spec=spec,
        action=action,
        values=Filling(binder, scope, action, (*path, "with")).values(spec.with_),
        when=binder.condition(spec.when, (*path, "when"), scope) if spec.when is not None else None,
        guards=guards,
        for_each=each,
        key=binder.expression(spec.key, (*path, "key"), scope) if each else None,
        verify=proof,
        scope=scope,
    )
