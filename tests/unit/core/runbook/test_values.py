"""Values with expressions among them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.actions.hosts import DENIED, host

from memrunbook import catalog
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.expression import Expression, Scope
from memrunbook.core.runbook.values import computed, expressions_in
from memrunbook.core.runbook.world import World

SCOPE = Scope(catalog.metrics(), {"n": "int"})


def expression(source: str) -> Expression:
    return SCOPE.compile(source, boolean=False)


def world(values: dict[str, Any] | None = None) -> World:
    return World(host(values or {}), catalog.metrics(), {"n": 2})


def twice(value: Any) -> Any:
    return value * 2


NESTED = ["a", expression("parameters.n"), {"k": [expression("parameters.n + 1"), 7]}]


def test_expressions_are_found_at_any_depth() -> None:
    assert [found.source for found in expressions_in(NESTED)] == ["parameters.n", "parameters.n + 1"]
    assert list(expressions_in(NESTED[1])) == [NESTED[1]]
    assert list(expressions_in(("a", 1, None))) == []


def test_each_is_computed_and_what_is_literal_stays() -> None:
    assert computed(NESTED, world(), twice) == ["a", 4, {"k": [6, 7]}]
    assert computed("a", world(), twice) == "a"


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: ["a", one], lambda one: {"k": [one]}])
def test_one_that_is_unknown_makes_the_whole_unknown(wrap: Any) -> None:
    found = computed(wrap(expression("sysctl.vm.swappiness")), world({"sysctl.vm.swappiness": DENIED}), twice)
    assert isinstance(found, Unavailable)
    assert "sysctl.vm.swappiness" in found.why
