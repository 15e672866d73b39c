"""The tree of an expression is CEL's own."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook import catalog
from memrunbook.core.runbook.environment import shared
from memrunbook.core.runbook.tree import Term, tree_of


def tree(source: str) -> Term:
    return tree_of(shared(catalog.metrics()).compile(source))


@pytest.mark.parametrize(
    ("source", "value"),
    [("0", 0), ("-3", -3), ("300", 300), ("2.5", 2.5), ("'é'", "é"), ("''", ""), ("true", True), ("false", False),
     ("9223372036854775807", (1 << 63) - 1), ("3u", 3), ("null", 0), ("b'x'", b"x")],
)  # fmt: skip
def test_constants_are_plain(source: str, value: Any) -> None:
    found = tree(source)
    assert (found.kind, found.value) == ("const", value)


def test_a_call_has_its_target_first_and_stands_where_its_operator_does() -> None:
    found = tree("item.name.endsWith('x')")
    assert (found.kind, found.word, [part.kind for part in found.parts]) == ("call", "endsWith", ["select", "const"])
    compared = tree("'é' == 'é' && sysctl.vm.swappiness   > 3").parts[1]
    assert (compared.word, compared.offset, compared.parts[0].word) == ("_>_", 37, "sysctl.vm.swappiness")


def test_a_macro_has_its_list_its_variable_and_what_it_asks() -> None:
    found = tree("units.all.exists(u, u.name == 'x')")
    assert (found.kind, found.word) == ("each", "u")
    assert found.parts[0] == Term("name", 5, "units.all")
    assert found.parts[1].value is False
    assert [part.word for part in found.parts[3].walk() if part.kind == "select"] == ["name"]


def test_lists_and_maps_have_their_parts() -> None:
    assert [part.value for part in tree("[1, 2, 3]").parts] == [1, 2, 3]
    assert [part.value for part in tree("{'a': 1, 'b': 2}").parts] == ["a", 1, "b", 2]
    assert tree("[]").parts == ()
