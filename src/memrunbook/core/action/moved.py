"""Whether a step moved what it should move, by its signals before and after it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from memrunbook.core.reading.metric import Metric
from memrunbook.core.units import GIB, KIB, MIB, Unit, format_value

Direction = Literal["up", "down", "either"]
Moves = Mapping[str, Direction]
"""Metrics that a step should move, and where to."""

CLEAR_SHARE = 0.05
"""A change counts from this part of the value before on, and from the floor of its unit on: less is noise."""
FLOORS: Mapping[Unit, float] = {
    Unit.BYTES: 16 * MIB,
    Unit.BYTES_PER_SECOND: 64 * KIB,
    Unit.PERCENT: 1.0,
    Unit.PER_SECOND: 10.0,
    Unit.RATIO: 0.05,
}
ENOUGH: Mapping[Unit, float] = {Unit.BYTES: GIB}
"""So much is clear however large the value is: 8 GiB more than 190 GiB is less than a twentieth, and no noise."""
SMALLEST = 1.0
"""The floor of a unit without one of its own: counts and settings."""


def effect(moves: Moves, before: Mapping[str, Any], after: Mapping[str, Any], metrics: Mapping[str, Metric]) -> str:
    """A sentence where none of these metrics moved clearly, or none could be compared; empty where one did.

    `before` and `after` hold values by metric, None for what could not be had.
    """
    if not moves:
        return ""
    compared = [name for name in moves if before.get(name) is not None and after.get(name) is not None]
    if not compared:
        return f"its effect cannot be told: {', '.join(moves)} could not be read before and after"
    units = {name: metrics[name].unit if name in metrics else Unit.NONE for name in compared}
    if any(moved(before[name], after[name], units[name], moves[name]) for name in compared):
        return ""
    values = [_values(name, before[name], after[name], units[name]) for name in compared]
    return f"did not move its signal{'s' * (len(values) > 1)}: {', '.join(values)}"


def moved(before: Any, after: Any, unit: Unit, direction: Direction) -> bool:
    """True when a value changed clearly, and to the side where it should go."""
    if not (_number(before) and _number(after)):
        return bool(before != after)
    change = after - before
    least = max(CLEAR_SHARE * abs(before), FLOORS.get(unit, SMALLEST))
    clear = abs(change) >= min(least, ENOUGH.get(unit, least))
    return clear and (direction == "either" or (change > 0) == (direction == "up"))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _values(name: str, before: Any, after: Any, unit: Unit) -> str:
    return f"{name} {format_value(before, unit)} -> {format_value(after, unit)}"
