"""Long lists are handed over with the fields that an expression looks at, and never with one too few."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.small import METRICS, Service, Units, snapshot

from memrunbook.core.runbook import expression
from memrunbook.core.runbook.condition import Scope
from memrunbook.core.runbook.looked_at import fields_looked_at
from memrunbook.core.runbook.world import World

LISTS = {"units.all": METRICS["units.all"]}
MANY = tuple(Service(name=f"web-{place}", bytes=place or None, failed=place == 7) for place in range(40))


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("units.all.exists(u, u.bytes > 5)", {"bytes"}),
        ('units.all.exists(u, u.policy.restart == "no" && !u.failed)', {"policy", "failed"}),
        ("units.all.exists(u, units.all.exists(v, u.name != v.name && u.bytes == v.bytes))", {"name", "bytes"}),
        ("(memory.available_bytes > 1 || true) && units.all.all(u, u.failed)", {"failed"}),
    ],
)
def test_the_fields_that_are_named_are_looked_at(source: str, fields: set[str]) -> None:
    assert fields_looked_at(source, LISTS) == {"units.all": frozenset(fields)}


@pytest.mark.parametrize(
    "source",
    [
        "units.all.exists(u, u == units.all[0])",
        "units.all.exists(u, [u] == [u])",
        "units.all.exists(u, size(u) > 3)",
        "units.all.filter(u, u.failed) == units.all.filter(u, u.bytes > 3)",
        "units.all.map(u, u) == []",
        "size(units.all) > 3",
        "units.all == units.all",
        "units.all.size() > 3",
        "(true ? units.all : units.all).exists(u, u.failed)",
    ],
)
def test_what_uses_items_as_a_whole_gets_them_whole(source: str) -> None:
    assert fields_looked_at(source, LISTS) == {}


def test_a_list_that_is_used_as_a_whole_keeps_no_other_from_being_lean() -> None:
    lists = {name: METRICS[name] for name in ("units.all", "units.growing")}
    found = fields_looked_at("units.all.exists(u, u.failed) && size(units.growing) > 0", lists)
    assert found == {"units.all": frozenset({"failed"})}


@pytest.mark.parametrize("long", [1, 1000])
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("units.all.exists(u, u.bytes > 38)", True),
        ("units.all.exists(u, u.bytes > 99)", None),
        ("units.all.all(u, u.bytes < 99)", None),
        ("units.all.exists(u, u.failed && u.name == 'web-7' && u.policy.restart == 'unlisted')", True),
        ("units.all.exists(u, u.failed && u.bytes > 1 * KiB) || memory.available_bytes > 1", None),
        ("size(units.all) == 40 && units.all.exists(u, u.failed)", True),
        ("units.growing.exists(u, u.failed) || units.all.exists(u, u.failed)", True),
    ],
)
def test_the_value_is_the_same_for_long_and_short_lists(
    source: str, expected: Any, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expression, "LONG", long)
    world = World(snapshot(units=Units(all=MANY)), METRICS)
    value = Scope(METRICS, {}).compile(source, boolean=True).value(world)
    assert value is expected or (expected is None and value.reason in ("failed", "absent"))
