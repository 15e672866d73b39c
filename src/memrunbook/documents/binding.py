"""Binds a runbook: compiles its expressions, checks its names, gives its parameters values; all problems at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from memrunbook import catalog
from memrunbook.core.action.action import Action, Repeat
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.bound import Cause, Check, Guard, Proof, Runbook, Step
from memrunbook.core.runbook.condition import Condition, ConditionError, Expression, Scope
from memrunbook.core.runbook.handed_out import items_of, lists_named
from memrunbook.core.runbook.spec import RunbookSpec, StepSpec, Text
from memrunbook.core.units import decode
from memrunbook.documents.parameters import KINDS, parameter_values
from memrunbook.documents.source import Source

EXPRESSION = re.compile(r"^\$\{\{(.*)\}\}$", re.DOTALL)
Path = tuple[str | int, ...]


@dataclass
class Binder:
    """Binds one source; `problems` grows until the end. A trusted one was bound before: nothing is compiled."""

    source: Source
    spec: RunbookSpec
    trusted: bool = False
    problems: list[Problem] = field(default_factory=list)
    scopes: dict[tuple[str, bool, bool], Scope] = field(default_factory=dict)

    def problem(self, path: Path, message: str, hint: str = "", word: str = "") -> None:
        """Notes a problem at a place of the file, or at a word inside of it; what follows a "; " is its hint."""
        what, _, remedy = (message, "", hint) if hint else message.partition("; ")
        self.problems.append(Problem(self.source.where(path, word), what, remedy))

    def scope(self, item: Metric | None = None, *, checks: bool = True, step: bool = False) -> Scope:
        """The names that may be used at a place."""
        place = (item.name if item else "", checks, step)
        if place not in self.scopes:
            names = tuple(check.id.replace("-", "_") for check in self.spec.checks) if checks else ()
            kinds = {name: KINDS[parameter.type] for name, parameter in self.spec.parameters.items()}
            self.scopes[place] = Scope(catalog.metrics(), kinds, names, item, step)
        return self.scopes[place]

    def item_scope(self, items: Expression | None, *, step: bool = False) -> Scope:
        """The names that may be used for each of the items; of a trusted source their fields were checked before."""
        if items is None:
            return self.scope(step=step)
        return self.scope(next(iter(lists_named(items)), None) if self.trusted else items_of(items), step=step)

    def expression(self, text: str, path: Path, scope: Scope, *, boolean: bool = False) -> Expression | None:
        """Compiles one expression, or notes why not."""
        if self.trusted:
            return scope.later(text.strip())
        try:
            return scope.compile(text.strip(), boolean=boolean)
        except ConditionError as error:
            word = text.strip().splitlines()[error.line - 1][error.column - 1 :] if text.strip() else ""
            self.problem(path, error.message, error.hint, error.word or word)
            return None

    def items(self, text: str, path: Path) -> Expression | None:
        """Compiles an expression that hands out items."""
        found = self.expression(text, path, self.scope())
        if found is not None and not self.trusted and found.kind.partition("<")[0] not in ("LIST", "DYN"):
            self.problem(path, "this must be a list of items", "as in units.growing.filter(u, u.growth_share > 0.5)")
        return found

    def condition(self, text: Text, path: Path, scope: Scope) -> Condition:
        """Compiles a condition; a list means that all must hold."""
        parts = [text] if isinstance(text, str) else text
        paths = [path] if isinstance(text, str) else [(*path, index) for index in range(len(parts))]
        compiled = [self.expression(part, at, scope, boolean=True) for part, at in zip(parts, paths, strict=True)]
        return Condition(tuple(part for part in compiled if part is not None))


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
        raise DocumentError(binder.problems)
    return bound


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
            binder.problem(("signals", index), f"unknown metric {name!r}", _near(name, catalog.metrics()))


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
        binder.problem((*path, "action"), f"unknown action {spec.action!r}", _near(spec.action, actions))
        return None
    action = actions[spec.action]
    if spec.retries is not None and action.repeat is not Repeat.IDEMPOTENT:
        repeated = f"{spec.action} is never repeated: its repeat class is {action.repeat.value}"
        binder.problem((*path, "retries"), repeated, "remove retries")
    if spec.verify is None and not action.proves_itself:
        told = f"{spec.action} needs a `verify`: only the runbook knows what it should bring about"
        binder.problem((*path, "action"), told, "add verify: {that: …, within: 1m}")
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
        values=_values(binder, spec, action, path, scope),
        when=binder.condition(spec.when, (*path, "when"), scope) if spec.when is not None else None,
        guards=guards,
        for_each=each,
        key=binder.expression(spec.key, (*path, "key"), scope) if each else None,
        verify=proof,
        scope=scope,
    )


def _values(binder: Binder, spec: StepSpec, action: type[Action], path: Path, scope: Scope) -> dict[str, Any]:
    known = {info.encode_name: info for info in msgspec.structs.fields(action)}
    values: dict[str, Any] = {}
    for name, value in spec.with_.items():
        at = (*path, "with", name)
        if name not in known:
            binder.problem(at, f"{spec.action} has no parameter {name!r}", _near(name, known))
            continue
        match = EXPRESSION.match(value.strip()) if isinstance(value, str) else None
        if match:
            values[name] = binder.expression(match[1], at, scope)
        else:
            values[name] = value
            _literal(binder, at, value, known[name].type)
    for name, info in known.items():
        if info.required and name not in spec.with_:
            binder.problem((*path, "action"), f"{spec.action} needs the parameter {name!r}", f"with: {{{name}: …}}")
    return values


def _literal(binder: Binder, path: Path, value: Any, kind: Any) -> None:
    if isinstance(value, str) and "${{" in value:
        binder.problem(
            path, "an expression must be the whole value", "write ${{ … }} alone: there is no text templating"
        )
        return
    try:
        msgspec.convert(value, kind, dec_hook=decode)
    except msgspec.ValidationError as error:
        from memrunbook.documents.faults import Fault, faults  # jsonschema costs 125 ms: only a refused one pays for it

        for fault in faults(value, kind) or [Fault((), str(error))]:
            binder.problem((*path, *fault.path), fault.message, fault.hint)


def _near(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known)[:12])}"
