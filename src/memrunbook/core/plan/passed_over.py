"""What a step looked for, and what it saw instead, where its `for_each` matches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.bound import Step
from memrunbook.core.runbook.world import World

NAMED_BY = ("name", "unit", "container", "path", "pid", "id")
"""The fields by which people know an item, the best first."""
MOST_NAMED = 3
MOST_LISTS = 2


def nothing_matches(step: Step, world: World) -> str:
    """Says what was looked for and what was seen: "looked for …; seen: 2 in units.suspects (a, b), none fits"."""
    expression = step.for_each
    if expression is None:
        return "there is nothing to act on"
    metrics = expression.scope.metrics
    lists = [name for name in expression.metrics if metrics[name].kind == "list"]
    seen = [_seen(name, metrics[name].meaning, world.lookup(name)) for name in lists[:MOST_LISTS]]
    source = " ".join(expression.source.split())
    return f"looked for {source}; seen: {' and '.join(seen)}" if seen else f"nothing matches {source}"


def _seen(name: str, meaning: str, items: Sequence[Any] | Unavailable) -> str:
    if isinstance(items, Unavailable):
        return f"{name} is unknown"
    if not items:
        return f"none in {name} ({meaning})"
    names = [found for item in items[:MOST_NAMED] if (found := _name(item))]
    more = ", …" if len(items) > len(names) else ""
    listed = f" ({', '.join(names)}{more})" if names else ""
    return f"{len(items)} in {name}{listed}, none fits"


def _name(item: dict[str, Any]) -> str:
    return next((str(item[field]) for field in NAMED_BY if item.get(field)), "")
