"""What a condition may speak of: a snapshot's metrics and the names that a runbook adds to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from memrunbook.core.reading.fact import Cut, Reading, Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.snapshot import Snapshot, cut_in, value_in
from memrunbook.core.units import GIB, KIB, MIB

CONSTANTS: Mapping[str, int] = {"KiB": KIB, "MiB": MIB, "GiB": GIB}
BEFORE = "before."
FEW = 16
SCALARS = frozenset({int, float, bool, str})
Readings = Mapping[str, Reading | Unavailable]


@dataclass(frozen=True)
class World:
    """One snapshot, seen from one place of a runbook.

    `checks` holds true, false or (unknown) nothing by name with "_" for "-"; `before` is the snapshot from when the
    step began; `item` the item of a `for_each` or of `causes`; `target` what the step's change touches.
    """

    snapshot: Snapshot
    metrics: Mapping[str, Metric]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, bool] = field(default_factory=dict)
    before: Snapshot | None = None
    item: Mapping[str, Any] | None = None
    target: str | None = None

    def at(self, **changes: Any) -> World:
        """The same world seen from another place."""
        return replace(self, **changes)

    def lookup(self, name: str) -> Any:
        """The plain value of a name, or `Unavailable` with the reason."""
        if name in CONSTANTS:
            return CONSTANTS[name]
        first, _, rest = name.partition(".")
        if first == "parameters":
            return self.parameters.get(rest, Unavailable("failed", f"{name} has no value"))
        if first == "checks":
            return self.checks.get(rest, Unavailable("failed", f"the check {rest} is unknown"))
        if name in ("item", "target"):
            found = self.item if name == "item" else self.target
            return Unavailable("failed", f"there is no {name} here") if found is None else found
        return self._metric(name)

    def cut(self, name: str) -> Cut | None:
        """What a list leaves out; None where it holds all there is."""
        snapshot = self.before if name.startswith(BEFORE) else self.snapshot
        return None if snapshot is None else cut_in(snapshot.readings, name.removeprefix(BEFORE))

    @cached_property
    def values(self) -> Values:
        """The metrics of its snapshot."""
        return values_of(self.snapshot, self.metrics)

    def _metric(self, name: str) -> Any:
        if not name.startswith(BEFORE):
            return self.values.value(name)
        name = name.removeprefix(BEFORE)
        if self.before is None:
            return Unavailable("failed", f"{name} before the step is not known")
        return values_of(self.before, self.metrics).value(name)


class Values:
    """The metrics of one snapshot as plain values: each is converted once, however many runbooks ask for it.

    `alike` are those of the same host at the same moment, some readings apart: what both read alike is theirs.
    `bound` is the snapshot as CEL has it, `told` the evidence by metric, `judged` what the checks of a runbook said.
    `asked` counts the expressions that were evaluated on it before it was bound.
    """

    def __init__(self, readings: Readings, metrics: Mapping[str, Metric], alike: Values | None = None) -> None:
        self.readings = readings
        self.metrics = metrics
        self.bound: Any = None
        self.asked = 0
        self.told: dict[str, Any] = {}
        self.judged: tuple[Any, Any] = (None, None)
        self._alike = alike
        self._other = {name for name in readings if alike and alike.readings.get(name) is not readings[name]}
        self._known: dict[str, Any] = {}
        self._lists: dict[str, list[Any]] = {}

    def of(self, facts: Collection[str]) -> Values:
        """These values, or those of `alike` where they say the same of these facts."""
        return self if self._alike is None or not self._other.isdisjoint(facts) else self._alike

    def value(self, name: str) -> Any:
        """The plain value of a metric, or `Unavailable` with the reason."""
        known = self._known.get(name)  # no value is None: what could not be had is Unavailable
        if known is None:
            alike = self._alike if name.partition(".")[0] not in self._other else None
            known = self._known[name] = self._read(name) if alike is None else alike.value(name)
        return known

    def are_many(self) -> bool:
        """True from the expression on from which binding all metrics for all expressions costs less than each its own.

        A step of a run asks few of its snapshot, a diagnosis by all runbooks hundreds.
        """
        self.asked += 1
        return self.asked > FEW

    def size(self, name: str) -> int:
        """How many items a list has; 0 for one that could not be had."""
        value = value_in(self.readings, name)
        return 0 if isinstance(value, Unavailable) else len(value)

    def lean(self, name: str, fields: Collection[str]) -> Any:
        """A list whose items have these fields alone, or `Unavailable`."""
        value = value_in(self.readings, name)
        if isinstance(value, Unavailable):
            return value
        return [_known({field: item.get(field) for field in fields}) for item in msgspec.to_builtins(value)]

    def offered(self) -> dict[str, Any]:
        """Every metric that is there, by name.

        A list is empty until its value is asked for: most lists are looked into by no expression, and cost most.
        """
        found: dict[str, Any] = dict(CONSTANTS)
        for name, metric in self.metrics.items():
            value = self.slot(name) if metric.kind == "list" else self.value(name)
            if value.__class__ is not Unavailable:
                found[name] = value
        return found

    def _read(self, name: str) -> Any:
        value, metric = value_in(self.readings, name), self.metrics.get(name)
        if isinstance(value, Unavailable):
            return value
        if metric is None or metric.kind != "list":
            return plain(value, metric)
        kept = self._lists.setdefault(name, [])
        kept.extend(plain(value, metric))
        return kept

    def slot(self, name: str) -> Any:
        """The list as CEL holds it: the very one that `value` fills, in these values or in those alike."""
        if self._alike is not None and name.partition(".")[0] not in self._other:
            return self._alike.slot(name)
        value = value_in(self.readings, name)
        return value if isinstance(value, Unavailable) else self._lists.setdefault(name, [])


def values_of(snapshot: Snapshot, metrics: Mapping[str, Metric], alike: Snapshot | None = None) -> Values:
    """The values of a snapshot, kept with it."""
    kept: Values | None = snapshot.aside.get("values")
    if kept is None or kept.metrics is not metrics:
        base = values_of(alike, metrics) if alike is not None and alike is not snapshot else None
        kept = snapshot.aside["values"] = Values(snapshot.readings, metrics, base)
    return kept


def plain(value: Any, metric: Metric | None) -> Any:
    """A metric's value as CEL takes it: doubles are doubles, items are maps."""
    if metric is not None and metric.kind == "double":
        return float(value)
    return _known(msgspec.to_builtins(value)) if isinstance(value, list | tuple) else value


def _known(value: Any) -> Any:
    """Without the fields that could not be had: a missing one makes an expression unknown, null would be a value.

    (A null in a result also costs cel-expr-python 0.1.3 one reference to None, which ends Python 3.11 sooner or later.)
    """
    if isinstance(value, dict):
        return {key: part if type(part) in SCALARS else _known(part) for key, part in value.items() if part is not None}
    return [_known(part) for part in value] if isinstance(value, list | tuple) else value
