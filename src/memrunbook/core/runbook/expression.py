"""Expressions: CEL over the metric catalogue, checked when loaded; a value in a world, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.deciding import Leaf, leaves
from memrunbook.core.runbook.environment import Environment, in_slots, shared, slots_of
from memrunbook.core.runbook.fields import Fields
from memrunbook.core.runbook.looked_at import fields_looked_at
from memrunbook.core.runbook.refusal import ConditionError, explained, names_in, refuse_words
from memrunbook.core.runbook.tree import tree_of
from memrunbook.core.runbook.typed import check_types
from memrunbook.core.runbook.unseen import NOTHING, Sight, Unseen
from memrunbook.core.runbook.world import BEFORE, CONSTANTS, World

CHECK = "checks."
UNKNOWN_FIELD = re.compile(r'Key not found in map : "(\w+)"')
_tree = lru_cache(maxsize=1024)(tree_of)
"""The same program is looked into on each host."""
LONG = 32
"""From so many items on a list is handed to CEL with the fields alone that a yes-or-no expression looks at."""


@dataclass(frozen=True)
class Scope:
    """The names that expressions of one runbook may use, by their CEL type; `item` is of the list that hands it out.

    Which list that is matters to the check of its fields alone: an expression is the same without it.
    """

    metrics: Mapping[str, Metric] = field(repr=False)
    parameters: Mapping[str, str]
    checks: tuple[str, ...] = ()
    item: Metric | None = field(default=None, repr=False, compare=False)
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
        fitting = self.fitting(source)
        if fitting is not None:
            with suppress(RuntimeError):
                return shared(self.metrics).compile(fitting), True
        try:
            return self._exact.compile(source), False
        except RuntimeError as error:
            raise explained(str(error), self.names) from None

    def fitting(self, source: str) -> str | None:
        """The expression as the shared environment takes it; None where only an own one can."""
        return None if self._named_elsewhere(source) else in_slots(source, self.slots)

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
        _check_fields(self, expression)
        return expression

    def _used(self, source: str) -> list[str]:
        """The longest declared beginning of every name."""
        names = [name.split(".") for name in names_in(source)]
        begins = ([".".join(parts[:n]) for n in range(len(parts), 0, -1)] for parts in names)
        longest = (next((name for name in found if self._knows(name)), None) for found in begins)
        return list(dict.fromkeys(name for name in longest if name is not None))

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
    made: dict[str, Expression] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Expressions that were made of parts of it, by their text: each is compiled once, however many hosts there are."""

    @property
    def kind(self) -> str:
        """CEL's name of the type of its value: BOOL, LIST<...>, DYN where it shows only later."""
        return str(self._program[0].return_type().name())

    @property
    def facts(self) -> set[str]:
        """The facts whose metrics it names."""
        bare = (name.removeprefix(BEFORE) for name in self.names)
        return {name.partition(".")[0] for name in bare if name in self.scope.metrics}

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it names, those of the snapshot before a step apart."""
        return tuple(name for name in self.names if name in self.scope.metrics)

    def value(self, world: World) -> Any:
        """The plain value in a world, or `Unavailable` with the reason.

        A yes or no over a list that is cut is unknown unless what was seen decides it; any other value is of what was
        seen.
        """
        unseen = self._sight.unseen(world) if self._sight else NOTHING
        if unseen.decided is not None:
            return unseen.decided
        if unseen.settled is not None and _plain(self._run, world) is unseen.settled:
            return unseen.settled
        try:
            result = self._run(world, unseen)
        except RuntimeError as error:  # text that is no text: a lone surrogate from a command line
            return _unavailable(self.names, world, str(error), unseen)
        if result.type().name() in ("ERROR", "UNKNOWN"):
            return _unavailable(self.names, world, str(result.value()), unseen)
        return result.plain_value()

    def leaves(self, world: World, *, wanted: bool = True, first: bool = True) -> list[Leaf]:
        """The parts that make a yes-or-no expression what it is in a world, by the metrics and checks in them."""
        words = self._words
        found = leaves(
            _tree(self._program[0]),
            lambda word: world.lookup(words[word]) if word in words else None,
            wanted=wanted,
            first=first,
        )
        told = {word: name for word, name in words.items() if name in self.scope.metrics or name.startswith(CHECK)}
        return [leaf._replace(names=tuple(told[word] for word in leaf.names if word in told)) for leaf in found]

    @cached_property
    def _program(self) -> tuple[Any, bool]:
        return self.scope.program(self.source)

    @cached_property
    def _words(self) -> dict[str, str]:
        """The names by those that its program has for them."""
        slots = self.scope.slots if self._program[1] else {}
        return {slots.get(name, name): name for name in self.names}

    @cached_property
    def _asked(self) -> tuple[frozenset[str], tuple[str, ...]] | None:
        """The facts and the lists that it names where it names nothing but metrics, so that one binding serves all."""
        known = self.scope.metrics
        if not self._program[1] or any(name not in known and name not in CONSTANTS for name in self.names):
            return None
        return frozenset(self.facts), tuple(name for name in self.metrics if known[name].kind == "list")

    def _run(self, world: World, unseen: Unseen) -> Any:
        program, asked = self._program[0], self._asked
        if unseen.matters:
            found = {word: unseen.part(name, world.lookup(name)) for word, name in self._words.items()}
            return program.eval(data=_there(found))
        if asked is not None and world.metrics is self.scope.metrics:
            facts, lists = asked
            values = world.values.of(facts)
            lean = self._lean
            if any(values.size(name) >= LONG for name in lean):
                found = {
                    name: values.lean(name, lean[name]) if name in lean else world.lookup(name) for name in self.names
                }
                return program.eval(data=_there(found))
            if values.are_many():
                for name in lists:
                    values.value(name)  # fills the list that CEL is about to look into
                return program.eval(shared(self.scope.metrics).bound(values))
        return program.eval(data=_there({word: world.lookup(name) for word, name in self._words.items()}))

    @cached_property
    def _sight(self) -> Sight | None:
        """What it sees of lists that may be cut, where it asks yes or no."""
        lists = tuple(name for name in self.names if is_list(self.scope, name))
        if not lists or self.kind != "BOOL":
            return None
        return Sight(_tree(self._program[0]), lists, self._words)

    @cached_property
    def _lean(self) -> Mapping[str, frozenset[str]]:
        """By list the fields that it looks at, where it asks yes or no and nothing of an item but its fields."""
        known = self.scope.metrics
        lists = {name: known[name] for name in self.metrics if known[name].kind == "list"}
        return fields_looked_at(self.source, lists) if self.kind == "BOOL" and lists else {}


def _plain(run: Callable[[World, Unseen], Any], world: World) -> Any:
    """What the seen parts of cut lists say; None where that is no value."""
    with suppress(RuntimeError):
        result = run(world, NOTHING)
        return None if result.type().name() in ("ERROR", "UNKNOWN") else result.plain_value()
    return None


def is_list(scope: Scope, name: str) -> bool:
    """True for a list of items, that of the snapshot before a step too."""
    metric = scope.metrics.get(name.removeprefix(BEFORE))
    return metric is not None and metric.kind == "list"


def _check_fields(scope: Scope, expression: Expression) -> None:
    """Checks the fields of items; the shared environment says whether, an own one in which words it is wrong."""
    if not any(name == "item" or is_list(scope, name) for name in expression.names):
        return
    fitting = scope.fitting(expression.source)
    if fitting is not None:
        with suppress(ConditionError, RuntimeError):
            _check_in(scope, shared(scope.metrics), fitting)
            return
    _check_in(scope, Environment(scope.names, casts=True), expression.source)


def _check_in(scope: Scope, environment: Environment, source: str) -> None:
    tree = tree_of(environment.compile(source))
    fields = Fields(scope.metrics, scope.item).of(tree)
    if fields:
        check_types(source, environment, fields, tree)


def _there(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not isinstance(value, Unavailable)}


def _unavailable(names: Iterable[str], world: World, error: str, unseen: Unseen) -> Unavailable:
    """Why there is no value: what could not be read or was left out, else the error itself."""
    found = {name: world.lookup(name) for name in names}
    missing = {name: gone for name, gone in found.items() if isinstance(gone, Unavailable)}
    missing |= {name: Unavailable("failed", cut.why) for name, cut in unseen.why.items()}
    field = UNKNOWN_FIELD.search(error)
    if not missing and field:
        return Unavailable("failed", f"{field[1]} is not known of all that was looked at")
    if not missing:
        return Unavailable("failed", f"it cannot be computed: {error}")
    reason = next(iter(missing.values())).reason
    return Unavailable(reason, "; ".join(f"{name}: {gone.why}" for name, gone in missing.items()))
