"""What speaks for a change: what whoever is asked for it is shown."""

from __future__ import annotations

from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.plan import Reasons
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Runbook, Step
from memrunbook.core.runbook.condition import Evidence


def reasons(runbook: Runbook, step: Step, item: tuple[str, dict[str, object] | None], snapshot: Snapshot) -> Reasons:
    """The firing checks, the step's own condition, and what is known of its item, each with its evidence."""
    key, known = item[0], item[1] or {}
    world = world_of(runbook, snapshot).at(item=item[1])
    firing = [check for check in runbook.checks if world.checks.get(check.variable)]
    found = [(check.spec.name, check.when.named(world)) for check in firing]
    if step.when is not None:
        found.append(("the step's own condition", step.when.named(world)))
    fields = step.scope.item.fields if step.scope.item is not None else {}
    about = [
        Evidence(name, known[name], field.unit.value) for name, field in fields.items() if _measured(known.get(name))
    ]
    return (*found, (key, tuple(about))) if about else tuple(found)


def _measured(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
