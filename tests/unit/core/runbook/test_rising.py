"""Which way an expression can go when there is more of a list than was seen."""

from __future__ import annotations

import pytest
from tests.lab.small import METRICS

from memrunbook.core.runbook.condition import Scope
from memrunbook.core.runbook.environment import shared
from memrunbook.core.runbook.rising import way_of
from memrunbook.core.runbook.tree import tree_of

SCOPE = Scope(METRICS, {}, (), METRICS["units.all"], step=True)
FAILED = "units.all.filter(u, u.failed)"


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("memory.available_percent < 5.0", "same"),
        ("units.growing.exists(u, u.failed)", "same"),
        ("units.all.exists(u, u.failed)", "up"),
        ("!units.all.exists(u, u.failed)", "down"),
        ("units.all.all(u, u.failed)", "down"),
        ("units.all.exists_one(u, u.failed)", "either"),
        ("units.all.exists(u, units.all.all(v, v.failed))", "either"),
        (f"size({FAILED}) > 0", "up"),
        (f"{FAILED}.size() >= 2", "up"),
        (f"0 < size({FAILED})", "up"),
        (f"2 <= size({FAILED}.map(u, u.name))", "up"),
        (f"size({FAILED}) < 2", "down"),
        (f"size({FAILED}) <= 2", "down"),
        (f"size({FAILED}) != 0", "up"),
        (f"size({FAILED}) == 0", "down"),
        (f"size({FAILED}) != 1", "either"),
        (f"size({FAILED}) == 1", "either"),
        (f"0 != size({FAILED})", "either"),
        (f"{FAILED}.exists(u, u.failed)", "up"),
        (f"size({FAILED}) > 0 && units.all.exists(u, u.failed)", "up"),
        (f"size({FAILED}) > 0 || units.all.all(u, u.failed)", "either"),
        (f"size({FAILED}) > size(units.all)", "either"),
        (f"size({FAILED}) > size(units.growing)", "up"),
        (f"size({FAILED}) - 1 > 0", "either"),
        ("size(units.all.filter(u, size(units.all) > 2)) > 0", "either"),
        ("size(units.all + units.growing) > 0", "either"),
        ("units.all[0].failed", "either"),
        ('"web" in units.all.map(u, u.name)', "either"),
        (f"[{FAILED}].exists(l, size(l) > 0)", "either"),
    ],
)
def test_the_way_of_an_expression(source: str, way: str) -> None:
    assert way_of(tree_of(shared(SCOPE.metrics).compile(source)), {"units.all"}) == way
