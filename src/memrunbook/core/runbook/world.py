"""What a condition may speak of: a snapshot's metrics and the names that a runbook adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, KIB, MIB

CONSTANTS: Mapping[str, int] = {"KiB": KIB, "MiB": MIB, "GiB": GIB}
BEFORE = "before."


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

    def _metric(self, name: str) -> Any:
        snapshot: Snapshot | None = self.snapshot
        if name.startswith(BEFORE):
            name, snapshot = name.removeprefix(BEFORE), self.before
        if snapshot is None:
            return Unavailable("failed", f"{name} before the step is not known")
        value = snapshot.value(name)
        return value if isinstance(value, Unavailable) else plain(value, self.metrics.get(name))


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
        return {key: _known(part) for key, part in value.items() if part is not None}
    return [_known(part) for part in value] if isinstance(value, list | tuple) else value
