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
from memrunbook.core.runbook.values import expressions_in

# The parameters of actions that name what is touched; all others say how much or for how long.
NAMING = ("unit", "pid", "cgroup", "command")
ENGINE_FACTS = frozenset({"host", "memory", "pressure", "vmstat", "units", "holds"})
"""What a diagnosis reads whatever the runbook: how the host is, and what rules of safety ask."""
UNITS, FAILED_UNITS = "units", "failed_units"
"""Who failed is read with the services where a step is about one; where it is about none, without them."""


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
    """A step with its conditions; `values` are the action's parameters: literals, with expressions at any depth."""

    spec: StepSpec
    action: type[Action]
    values: dict[str, Any]
    when: Condition | None
    guards: tuple[Guard, ...]
    for_each: Expression | None
    key: Expression | None
    verify: Proof | None
    scope: Scope = field(repr=False)

    @property
    def chosen_by_rule(self) -> bool:
        """True when an expression, not the author, names what is touched."""
        return self.for_each is not None or any(True for name in NAMING for _ in expressions_in(self.values.get(name)))

    @property
    def facts(self) -> set[str]:
        """Every fact that deciding, proving or carrying out this step reads."""
        parts: list[Condition | Expression] = [
            part for part in (self.when, self.for_each, self.key) if part is not None
        ]
        parts += [guard.that for guard in self.guards] + ([self.verify.that] if self.verify else [])
        parts += expressions_in(self.values)
        moved = {name.partition(".")[0] for name in self.action.moves or ()}
        return moved.union(self.action.reads(self.values), *(part.facts for part in parts))


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
        parts = [e for cause in self.causes for e in (cause.items, cause.name, cause.score)]
        return {*self.judging_facts}.union(*(part.facts for part in parts if part is not None))

    @cached_property
    def judging_facts(self) -> frozenset[str]:
        """The facts that its checks, its end and its signals read: how it stands, not who is behind it."""
        parts = [*(check.when for check in self.checks), self.incident, self.resolved]
        signals = frozenset(signal.partition(".")[0] for signal in self.spec.signals)
        return signals.union(*(part.facts for part in parts if part is not None))

    @cached_property
    def end_facts(self) -> frozenset[str]:
        """What is read once more where no step is under way: how it stands, and how the host was left."""
        return self.judging_facts | (ENGINE_FACTS - {UNITS})

    def facts_of(self, *steps: Step) -> frozenset[str]:
        """What deciding, carrying out and proving these steps reads, the engine's own harm check included.

        The services are read where a step may be about one of them, or names them: that costs the host most.
        """
        known = self.end_facts.union(*(step.facts for step in steps))
        if UNITS in known or not steps:
            return known
        return known | {FAILED_UNITS if all(step.action.host_wide for step in steps) else UNITS}

    def behind(self, step: Step) -> Sequence[Step]:
        """The step that comes after this one, where there is one."""
        place = next(place for place, one in enumerate(self.steps, start=1) if one.spec.id == step.spec.id)
        return self.steps[place : place + 1]
