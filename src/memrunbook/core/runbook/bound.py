"""A runbook whose expressions are compiled and whose parameters have values: what diagnosis and planning work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from memrunbook.core.action.action import Action
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.condition import Condition, Expression, Scope
from memrunbook.core.runbook.spec import CauseSpec, CheckSpec, RunbookSpec, StepSpec

# The parameters of actions that name what is touched; all others say how much or for how long.
NAMING = ("unit", "pid", "cgroup", "command")
ENGINE_FACTS = frozenset({"host", "memory", "pressure", "vmstat", "units", "holds"})


@dataclass(frozen=True)
class Check:
    """A check with its condition."""

    spec: CheckSpec
    when: Condition

    @cached_property
    def variable(self) -> str:
        """Its name in expressions."""
        return self.spec.id.replace("-", "_")


@dataclass(frozen=True)
class Proof:
    """A condition that must hold for `hold` seconds before `within` seconds have passed."""

    that: Condition
    within: float
    hold: float


@dataclass(frozen=True)
class Guard:
    """A condition without which a step is blocked, and why."""

    that: Condition
    why: str


@dataclass(frozen=True)
class Cause:
    """Where suspects come from and how they are scored."""

    spec: CauseSpec
    items: Expression | None
    name: Expression
    score: Expression


@dataclass(frozen=True)
class Step:
    """A step with its conditions; `values` are the action's parameters, literal or computed."""

    spec: StepSpec
    action: type[Action]
    values: Mapping[str, Any | Expression]
    when: Condition | None
    guards: tuple[Guard, ...]
    for_each: Expression | None
    key: Expression | None
    verify: Proof | None
    scope: Scope = field(repr=False)

    @property
    def chosen_by_rule(self) -> bool:
        """True when an expression, not the author, names what is touched."""
        return self.for_each is not None or any(isinstance(self.values.get(name), Expression) for name in NAMING)

    @property
    def facts(self) -> set[str]:
        """Every fact that deciding, proving or carrying out this step reads."""
        parts: list[Condition | Expression] = [
            part for part in (self.when, self.for_each, self.key) if part is not None
        ]
        parts += [guard.that for guard in self.guards] + ([self.verify.that] if self.verify else [])
        parts += [value for value in self.values.values() if isinstance(value, Expression)]
        moved = {name.partition(".")[0] for name in self.action.moves or ()}
        return moved.union(self.action.needs, *(part.facts for part in parts))


@dataclass(frozen=True)
class Runbook:
    """A runbook that can be diagnosed, planned and run. `digest` is the SHA-256 of the file's bytes."""

    spec: RunbookSpec
    origin: str
    digest: str
    metrics: Mapping[str, Metric] = field(repr=False)
    parameters: Mapping[str, Any]
    checks: tuple[Check, ...]
    incident: Condition
    resolved: Condition | None
    hold: float
    causes: tuple[Cause, ...]
    steps: Sequence[Step]

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def facts(self) -> set[str]:
        """Every fact that it reads, the engine's own harm check included."""
        found = set(ENGINE_FACTS) | self.diagnosis_facts
        return found.union(*(step.facts for step in self.steps))

    @property
    def diagnosis_facts(self) -> set[str]:
        """The facts that its checks, its end, its causes and its signals read."""
        parts: list[Condition | Expression | None] = [check.when for check in self.checks]
        parts += [self.incident, self.resolved]
        parts += [e for cause in self.causes for e in (cause.items, cause.name, cause.score)]
        signals = {signal.partition(".")[0] for signal in self.spec.signals}
        return signals.union(*(part.facts for part in parts if part is not None))
