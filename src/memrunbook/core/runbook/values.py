"""Values of a step's parameters: plain ones with expressions among them, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.expression import Expression
from memrunbook.core.runbook.world import World


def expressions_in(value: Any) -> Iterator[Expression]:
    """The expressions of a value: itself, or those in its items and entries."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from expressions_in(entry)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from expressions_in(item)


def computed(value: Any, world: World, typed: Callable[[Any], Any]) -> Any:
    """The value with each expression in it computed, and `typed` asked for what is made of that.

    `Unavailable` where one of them could not be computed.
    """
    if isinstance(value, Expression):
        found = value.value(world)
        return found if isinstance(found, Unavailable) else typed(found)
    if isinstance(value, dict):
        entries = {key: computed(entry, world, typed) for key, entry in value.items()}
        return next((entry for entry in entries.values() if isinstance(entry, Unavailable)), entries)
    if isinstance(value, list | tuple):
        items = [computed(item, world, typed) for item in value]
        return next((item for item in items if isinstance(item, Unavailable)), items)
    return value
