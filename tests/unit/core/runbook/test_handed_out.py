"""Whose items an expression hands out: of that list the fields of `item` must be."""

from __future__ import annotations

import pytest

from memrunbook import catalog
from memrunbook.core.runbook.expression import Expression, Scope
from memrunbook.core.runbook.handed_out import items_of, lists_named

METRICS = catalog.metrics()
OWN = "parameters.most"


def expression(source: str) -> Expression:
    return Scope(METRICS, {"most": "int"}, step=True).compile(source, boolean=False)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("cgroups.all", "cgroups.all"),
        ("units.all.exists(u, u.active) ? cgroups.all : []", "cgroups.all"),
        (f"size(units.all) > {OWN} ? cgroups.pressed : cgroups.all", "cgroups.pressed"),
        ("size(units.all) > size(before.units.all) ? cgroups.pressed : []", "cgroups.pressed"),
        ("before.units.all", "units.all"),
        ("[units.all[0].name, cgroups.all[0].unit]", "units.all"),
        ("['a']", ""),
    ],
)
def test_a_list_that_is_only_looked_into_hands_nothing_out(source: str, name: str) -> None:
    found = items_of(expression(source))
    assert (found.name if found else "") == name


def test_all_lists_that_are_named_are_told_in_their_order() -> None:
    named = lists_named(expression("units.all.exists(u, u.active) ? before.cgroups.all : []"))
    assert [metric.name for metric in named] == ["units.all", "cgroups.all"]
