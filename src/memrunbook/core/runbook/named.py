"""Which items of a list make a condition hold: a person is told who, not how many were looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from msgspec import Struct

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.expression import Expression
from memrunbook.core.runbook.refusal import LITERAL
from memrunbook.core.runbook.world import World
from memrunbook.core.units import Unit

MOST = 3
USE = re.compile(r"(?:\bsize\(\s*([a-z_][\w.]*)\s*\))|([a-z_][\w.]*)\.(exists|exists_one|filter|all)\(\s*(\w+)\s*,")
NAMES = ("name", "path", "victim", "unit", "largest", "key", "id")
NUMBERS = ("int", "double")
PLAIN = frozenset({"pid", "uid", "main_pid", "victim_pid", "parent", "start_ticks", "node"})
"""Numbers that are names: none of them says how much."""


class EvidenceItem(Struct, frozen=True):
    """One of the items that a check found: `field` is what it was asked for, `value` what it has there."""

    name: str
    pid: int | None = None
    field: str = ""
    value: float | int | None = None
    unit: str = ""


class Found(NamedTuple):
    """The first items of a list that fit, and how many more there are."""

    items: tuple[EvidenceItem, ...]
    more: int


class _Use(NamedTuple):
    """How an expression looks into a list: what it asks of an item that it calls `variable`; "" for all of them."""

    listed: str
    variable: str
    asked: str


def named_items(expression: Expression, world: World) -> Mapping[str, Found]:
    """By list, who makes an expression hold in a world; nothing of lists in which nobody does."""
    found: dict[str, Found] = {}
    for use in _uses(expression.source):
        metric = expression.scope.metrics.get(use.listed)
        if metric is None or metric.kind != "list" or use.listed in found:
            continue
        fitting = _fitting(expression, use, metric, world)
        if fitting:
            field = _field(use, metric)
            items = tuple(_item(item, field, metric) for item in fitting[:MOST])
            found[use.listed] = Found(items, len(fitting) - len(items))
    return found


def _uses(source: str) -> Iterator[_Use]:
    """The uses of lists by name, those inside of others apart: they speak of an item of the outer one."""
    text = LITERAL.sub(lambda quoted: '"' * len(quoted[0]), source)
    end = 0
    for match in USE.finditer(text):
        if match.start() < end:
            continue
        if match[1]:
            yield _Use(match[1], "", "")
            continue
        end = _closing(text, match.end())
        asked = source[match.end() : end].strip()
        yield _Use(match[2], match[4], f"!({asked})" if match[3] == "all" else asked)


def _closing(text: str, place: int) -> int:
    """Where the parenthesis closes that is open at a place."""
    depth = 1
    for at in range(place, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _fitting(expression: Expression, use: _Use, metric: Metric, world: World) -> list[Any]:
    items = world.lookup(use.listed)
    if not isinstance(items, list) or not use.asked:
        return items if isinstance(items, list) else []
    source = f"[item].exists({use.variable}, {use.asked})"
    one = expression.made.get(f"{use.listed} {source}")
    if one is None:
        one = replace(expression.scope, item=metric).later(source)
        expression.made[f"{use.listed} {source}"] = one
    return [item for item in items if one.value(world.at(item=item)) is True]


def _field(use: _Use, metric: Metric) -> Metric | None:
    """The number that tells most of an item, of those that are asked for: bytes before what has another unit."""
    asked = (
        re.findall(rf"\b{use.variable}\.([a-z_]+(?:\.[a-z_]+)*)", use.asked) if use.variable else list(metric.fields)
    )
    numbers = [field for name in asked if (field := metric.fields.get(name)) and field.kind in NUMBERS]
    telling = [field for field in numbers if field.name not in PLAIN]
    measured = [field for field in telling if field.unit is not Unit.NONE]
    sizes = [field for field in measured if field.unit is Unit.BYTES]
    return next(iter([*sizes, *measured, *(telling if use.variable else [])]), None)


def _item(item: Mapping[str, Any], field: Metric | None, metric: Metric) -> EvidenceItem:
    name = next((str(item[word]) for word in NAMES if item.get(word) not in (None, "")), metric.name)
    pid = item.get("pid")
    value = _value(item, field.name) if field else None
    if field is None or value is None:
        return EvidenceItem(name, pid)
    return EvidenceItem(name, pid, field.name, value, field.unit.value)


def _value(item: Any, path: str) -> float | int | None:
    for part in path.split("."):
        item = item.get(part) if isinstance(item, Mapping) else None
    return item if isinstance(item, int | float) else None
