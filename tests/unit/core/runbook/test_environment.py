"""One environment serves all runbooks; what does not fit there is compiled with exactly the names that may be used."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.lab.small import METRICS, Memory, snapshot

from memrunbook import catalog
from memrunbook.core.runbook import environment, expression
from memrunbook.core.runbook.condition import Condition, ConditionError, Scope
from memrunbook.core.runbook.environment import SLOTS, Environment, in_slots, shared, slots_of
from memrunbook.core.runbook.refusal import explained
from memrunbook.core.runbook.world import World
from memrunbook.documents.library import entries, read
from memrunbook.documents.runbooks import load_runbook

NOW = snapshot(memory=Memory(available_percent=5.0, available_bytes=7))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Environment]:
    """Every environment that is made from now on."""
    found: list[Environment] = []

    class Counted(Environment):
        def __init__(self, names: Any, *, casts: bool = False) -> None:
            super().__init__(names, casts=casts)
            found.append(self)

    monkeypatch.setattr(environment, "Environment", Counted)
    monkeypatch.setattr(expression, "Environment", Counted)
    monkeypatch.setattr(environment, "_shared", {})
    return found


def test_all_shipped_runbooks_share_one_environment(made: list[Environment]) -> None:
    for entry in entries([]):
        load_runbook(*read(entry.name, []))
    assert len(made) == 1
    assert shared(catalog.metrics()) is made[0]


@pytest.mark.parametrize(
    "source",
    [
        "memory.available_percent < 10.0 // checks.short",
        r"""target == "a\"b" || memory.available_percent < 10.0""",
        'target == """checks.short""" || memory.available_percent < 10.0',
        "[1].exists(checks, checks == 1)",
    ],
)
def test_what_only_the_parser_can_read_is_compiled_apart_and_means_the_same(
    source: str, made: list[Environment]
) -> None:
    scope = Scope(METRICS, {}, ("short",), step=True)
    parts = (scope.compile(source, boolean=True),)
    assert Condition(parts).evaluate(World(NOW, METRICS, checks={"short": False}, target="x")).holds
    assert len(made) == 1


@pytest.mark.parametrize(
    "source",
    [
        "  target == 'x'",
        "true && before.memory.available_bytes > 1",
        "true && parameters.least > 1.0 && item.name == 'x'",
        "checks.short && __bool_1",
        "checks.short &&\n  parameters.leest > 1.0",
        "parameters.least > 1.0 && checks.long",
        "memory.available_bytes > 1 && parameters.least > 1",
        "checks.short && memory.available_percent < 1.0)",
    ],
)
def test_what_is_refused_is_refused_as_the_author_wrote_it(source: str) -> None:
    scope = Scope(METRICS, {"least": "double"}, ("short",))
    with pytest.raises(ConditionError) as caught:
        scope.compile(source, boolean=True)
    with pytest.raises(RuntimeError) as alone:
        Environment(scope.names).compile(source)
    expected = explained(str(alone.value), scope.names)
    assert vars(caught.value) == vars(expected)
    assert not re.search(r"__\w+_\d", expected.hint)


def test_names_beyond_the_slots_are_compiled_apart(made: list[Environment]) -> None:
    many = {f"p{place}": "int" for place in range(SLOTS["int"] + 1)}
    scope, last = Scope(METRICS, many), f"parameters.p{SLOTS['int']}"
    inside, outside = (scope.compile(f"{name} == 3", boolean=True) for name in ("parameters.p0", last))
    world = World(NOW, METRICS, dict.fromkeys(many, 3))
    assert (inside.value(world), outside.value(world)) == (True, True)
    assert len(made) == 2
    assert last not in slots_of({f"parameters.{name}": kind for name, kind in many.items()})


def test_what_stands_in_quotes_is_no_name() -> None:
    slots = {"checks.a": "__bool_0", "parameters.b": "__int_0"}
    assert in_slots("checks.a && 'checks.a' == \"parameters.b\" && parameters.b > 1", slots) == (
        "__bool_0 && 'checks.a' == \"parameters.b\" && __int_0 > 1"
    )
    assert in_slots("u.checks.a && checks.other", slots) == "u.checks.a && checks.other"


def test_an_expression_is_compiled_once_in_a_scope() -> None:
    scope = Scope(METRICS, {})
    assert scope.compile("1 < 2", boolean=True) is scope.compile("1 < 2", boolean=True)


def test_what_was_checked_before_is_compiled_when_it_is_needed(made: list[Environment]) -> None:
    later = Scope(METRICS, {}).later("memory.available_bytes == 7")
    assert (later.names, later.facts, made) == (("memory.available_bytes",), {"memory"}, [])
    assert later.value(World(NOW, METRICS)) is True
    assert len(made) == 1
