"""Conditions and values: CEL over the metric catalogue, checked when loaded, three-valued when evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.environment import Environment, in_slots, shared, slots_of
from memrunbook.core.runbook.looked_at import fields_looked_at
from memrunbook.core.runbook.refusal import ConditionError, explained, names_in, refuse_fields, refuse_words
from memrunbook.core.runbook.world import BEFORE, CONSTANTS, World

__all__ = ["Condition", "ConditionError", "Evidence", "Expression", "Scope", "State", "Verdict"]

LONG = 32
"""From so many items on a list is handed to CEL with the fields alone that a yes-or-no expression looks at."""
State = Literal["holds", "fails", "unknown"]


class Evidence(Struct, frozen=True):
    """A metric that a condition names, with its value (None where it could not be had, and why)."""

    metric: str
    value: Any
    unit: str
    source: str = ""
    why: str = ""


class Verdict(Struct, frozen=True):
    """What a condition says of a world."""

    state: State
    evidence: tuple[Evidence, ...] = ()
    why: str = ""

    @property
    def holds(self) -> bool:
        """True only when it certainly holds."""
        return self.state == "holds"


@dataclass(frozen=True)
class Scope:
    """The names that expressions of one runbook may use, by their CEL type."""

    metrics: Mapping[str, Metric] = field(repr=False)
    parameters: Mapping[str, str]
    checks: tuple[str, ...] = ()
    item: Metric | None = field(default=None, repr=False)
    step: bool = False
    _compiled: dict[tuple[str, bool], Expression] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def names(self) -> dict[str, str]:
        """Every declared name with its kind."""
        names = {name: metric.kind for name, metric in self.metrics.items()}
        names |= dict.fromkeys(CONSTANTS, "int") | self._own
        if self.item is not None:
            names["item"] = "item"
        if self.step:
            names |= {BEFORE + name: metric.kind for name, metric in self.metrics.items()}
            names["target"] = "string"
        return names

    @cached_property
    def slots(self) -> dict[str, str]:
        """Where the shared environment holds the names that the runbook adds."""
        return slots_of(self._own)

    def compile(self, source: str, *, boolean: bool) -> Expression:
        """Parses and checks an expression; ConditionError with the offset and a suggestion."""
        known = self._compiled.get((source, boolean))
        if known is None:
            known = self._compiled[source, boolean] = self._checked(self.later(source), boolean=boolean)
        return known

    def later(self, source: str) -> Expression:
        """An expression that was checked before and is compiled when it is first evaluated."""
        return Expression(source, tuple(self._used(source)), self)

    def program(self, source: str) -> tuple[Any, bool]:
        """The program of an expression, and whether it is one of the shared environment; ConditionError."""
        fitting = None if self._named_elsewhere(source) else in_slots(source, self.slots)
        if fitting is not None:
            with suppress(RuntimeError):
                return shared(self.metrics).compile(fitting), True
        try:
            return self._exact.compile(source), False
        except RuntimeError as error:
            raise explained(str(error), self.names) from None

    @cached_property
    def _own(self) -> dict[str, str]:
        own = {f"parameters.{name}": kind for name, kind in self.parameters.items()}
        return own | {f"checks.{name}": "bool" for name in self.checks}

    @cached_property
    def _exact(self) -> Environment:
        return Environment(self.names)

    def _named_elsewhere(self, source: str) -> bool:
        """True where it may use a name that other places have, which the shared environment would let pass."""
        elsewhere = {"item"} if self.item is None else set()
        elsewhere |= set() if self.step else {"before", "target"}
        return bool(elsewhere) and any(name.partition(".")[0] in elsewhere for name in names_in(source))

    def _checked(self, expression: Expression, *, boolean: bool) -> Expression:
        kind = expression.kind
        if boolean and kind not in ("BOOL", "DYN"):
            raise ConditionError(
                f"this must be true or false, it is {kind.lower()}",
                'compare it with something, as in "memory.available_percent < 10.0"',
            )
        refuse_words(expression.source)
        refuse_fields(expression.source, self.metrics, self.item)
        return expression

    def _used(self, source: str) -> list[str]:
        found = dict.fromkeys(prefix for name in names_in(source) for prefix in self._declared(name))
        return list(found)

    def _declared(self, name: str) -> Iterable[str]:
        parts = name.split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return [prefix for prefix in prefixes if self._knows(prefix)][:1]

    def _knows(self, name: str) -> bool:
        """True for one of `names`, without making them: that takes as long as the expressions of a place."""
        if name in self.metrics or name in CONSTANTS or name in self._own:
            return True
        if name == "item":
            return self.item is not None
        return self.step and (name == "target" or (name.startswith(BEFORE) and name[len(BEFORE) :] in self.metrics))


@dataclass(frozen=True)
class Expression:
    """A checked expression; `names` are the declared names that it uses."""

    source: str
    names: tuple[str, ...] = field(repr=False)
    scope: Scope = field(repr=False)

    @property
    def kind(self) -> str:
        """CEL's name of the type of its value: BOOL, LIST<...>, DYN where it shows only later."""
        return str(self._program[0].return_type().name())

    @property
    def facts(self) -> set[str]:
        """The facts whose metrics it names."""
        bare = (name.removeprefix(BEFORE) for name in self.names)
        return {name.partition(".")[0] for name in bare if name in self.scope.metrics}

    @property
    def uses_checks(self) -> bool:
        """True when it names a check, and so needs whatever that check reads."""
        return any(name.startswith("checks.") for name in self.names)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it names, those of the snapshot before a step apart."""
        return tuple(name for name in self.names if name in self.scope.metrics)

    def value(self, world: World) -> Any:
        """The plain value in a world, or `Unavailable` with the reason."""
        try:
            result = self._run(world)
        except RuntimeError as error:  # text that is no text: a lone surrogate from a command line
            return self._unavailable(world, str(error))
        if result.type().name() in ("ERROR", "UNKNOWN"):
            return self._unavailable(world, str(result.value()))
        return result.plain_value()

    @cached_property
    def _program(self) -> tuple[Any, bool]:
        return self.scope.program(self.source)

    @cached_property
    def _asked(self) -> tuple[frozenset[str], tuple[str, ...]] | None:
        """The facts and the lists that it names where it names nothing but metrics, so that one binding serves all."""
        known = self.scope.metrics
        if not self._program[1] or any(name not in known and name not in CONSTANTS for name in self.names):
            return None
        return frozenset(self.facts), tuple(name for name in self.metrics if known[name].kind == "list")

    def _run(self, world: World) -> Any:
        (program, is_shared), asked = self._program, self._asked
        if asked is not None and world.metrics is self.scope.metrics:
            facts, lists = asked
            values = world.values.of(facts)
            lean = self._lean
            if any(values.size(name) >= LONG for name in lean):
                found = {
                    name: values.lean(name, lean[name]) if name in lean else world.lookup(name) for name in self.names
                }
                return program.eval(data=_there(found))
            for name in lists:
                values.value(name)  # fills the list that CEL is about to look into
            return program.eval(shared(self.scope.metrics).bound(values))
        slots = self.scope.slots if is_shared else {}
        return program.eval(data=_there({slots.get(name, name): world.lookup(name) for name in self.names}))

    @cached_property
    def _lean(self) -> Mapping[str, frozenset[str]]:
        """By list the fields that it looks at, where it asks yes or no and nothing of an item but its fields."""
        known = self.scope.metrics
        lists = {name: known[name] for name in self.metrics if known[name].kind == "list"}
        return fields_looked_at(self.source, lists) if self.kind == "BOOL" and lists else {}

    def _unavailable(self, world: World, error: str) -> Unavailable:
        found = {name: world.lookup(name) for name in self.names}
        missing = {name: gone for name, gone in found.items() if isinstance(gone, Unavailable)}
        if not missing:
            return Unavailable("failed", f"it cannot be computed: {error}")
        reason = next(iter(missing.values())).reason
        return Unavailable(reason, "; ".join(f"{name}: {gone.why}" for name, gone in missing.items()))


def _there(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not isinstance(value, Unavailable)}


def _evidence(metric: Metric, world: World) -> Evidence:
    value = world.snapshot.value(metric.name) if metric.kind == "list" else world.lookup(metric.name)
    if isinstance(value, Unavailable):
        return Evidence(metric.name, None, metric.unit.value, metric.source, value.why)
    if metric.kind == "list":
        return Evidence(metric.name, len(value), metric.unit.value, metric.source)
    if isinstance(value, list):
        return Evidence(metric.name, str(value), metric.unit.value)
    return Evidence(metric.name, value, metric.unit.value, metric.source)


@dataclass(frozen=True)
class Condition:
    """One or more expressions that must all hold."""

    parts: tuple[Expression, ...]

    @property
    def source(self) -> str:
        """The text as a person would write it on one line."""
        return " && ".join(part.source if len(self.parts) == 1 else f"({part.source})" for part in self.parts)

    @property
    def facts(self) -> set[str]:
        """The facts whose metrics it names."""
        return set().union(*(part.facts for part in self.parts))

    @property
    def uses_checks(self) -> bool:
        """True when it names a check, and so needs whatever that check reads."""
        return any(part.uses_checks for part in self.parts)

    def verdict(self, world: World) -> Verdict:
        """Fails when a part fails, else unknown when a part is unknown, else holds; without evidence."""
        values = [part.value(world) for part in self.parts]
        if any(value is False for value in values):
            return Verdict("fails")
        unknown = [value for value in values if value is not True]
        if unknown:
            return Verdict("unknown", why="; ".join(_reason(value) for value in unknown))
        return Verdict("holds")

    def evidence(self, world: World) -> tuple[Evidence, ...]:
        """Every metric that it names, once, as it is in a world; lists of items by their length."""
        told = world.values.told
        for part in self.parts:
            for name in part.metrics:
                if name not in told:
                    told[name] = _evidence(part.scope.metrics[name], world)
        return tuple(told[name] for name in dict.fromkeys(name for part in self.parts for name in part.metrics))

    def evaluate(self, world: World) -> Verdict:
        """The verdict with its evidence, for whoever shows or keeps it."""
        verdict = self.verdict(world)
        return Verdict(verdict.state, self.evidence(world), verdict.why)


def _reason(value: Any) -> str:
    return value.why if isinstance(value, Unavailable) else f"it is {value!r}, neither true nor false"
