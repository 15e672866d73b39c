"""Conditions: expressions that hold, fail or are unknown, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct, structs

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.deciding import deciding
from memrunbook.core.runbook.expression import CHECK, Expression, Scope
from memrunbook.core.runbook.named import EvidenceItem, Found, named_items
from memrunbook.core.runbook.refusal import ConditionError
from memrunbook.core.runbook.world import World

__all__ = ["Condition", "ConditionError", "Evidence", "EvidenceItem", "Expression", "Scope", "State", "Verdict"]

State = Literal["holds", "fails", "unknown"]


class Evidence(Struct, frozen=True):
    """A metric that a condition names, with its value (None where it could not be had, and why).

    Of a list the value is how many it holds; `items` are the first of those that make the condition hold, `more` are so
    many others.
    """

    metric: str
    value: Any
    unit: str
    source: str = ""
    why: str = ""
    items: tuple[EvidenceItem, ...] = ()
    more: int = 0


class Verdict(Struct, frozen=True):
    """What a condition says of a world."""

    state: State
    evidence: tuple[Evidence, ...] = ()
    why: str = ""

    @property
    def holds(self) -> bool:
        """True only when it certainly holds."""
        return self.state == "holds"


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
        return any(name.startswith(CHECK) for part in self.parts for name in part.names)

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

    def named(self, world: World) -> tuple[Evidence, ...]:
        """The evidence of a condition that holds, with the items of lists that make it hold."""
        found: dict[str, Found] = {}
        for part in self.parts:
            found = {**named_items(part, world), **found}
        return tuple(
            structs.replace(one, items=found[one.metric].items, more=found[one.metric].more)
            if one.metric in found
            else one
            for one in self.evidence(world)
        )

    def checks_that_hold(self, world: World) -> frozenset[str]:
        """The checks, as `checks` of the world has them, of which each is a reason why it holds."""
        known = (leaf for part in self.parts for leaf in part.leaves(world, first=False))
        return frozenset(name.removeprefix(CHECK) for leaf in known for name in leaf.names if name.startswith(CHECK))

    def lacking(self, world: World) -> tuple[str, ...]:
        """The metrics and checks by which it fails; none where it does not, or nothing of a world makes it fail."""
        failing = (part for part in self.parts if part.value(world) is False)
        known = (leaf for part in failing for leaf in part.leaves(world, wanted=False))
        return next((leaf.names for leaf in known if leaf.names), ())

    def deciding(self, world: World) -> tuple[str, ...]:
        """The metrics by which it holds: at most three, those that tell most."""
        return deciding([leaf for part in self.parts for leaf in part.leaves(world)])

    def evaluate(self, world: World) -> Verdict:
        """The verdict with its evidence, for whoever shows or keeps it."""
        verdict = self.verdict(world)
        return Verdict(verdict.state, self.evidence(world), verdict.why)


def _reason(value: Any) -> str:
    return value.why if isinstance(value, Unavailable) else f"it is {value!r}, neither true nor false"
