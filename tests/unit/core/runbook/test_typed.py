"""A field of an item is used as what it is, or the file is refused at the very place, with what to write."""

from __future__ import annotations

import pytest

from memrunbook import catalog
from memrunbook.core.runbook.condition import ConditionError, Scope
from memrunbook.core.runbook.typed import check_types

METRICS = catalog.metrics()
SCOPE = Scope(METRICS, {"n": "int"}, ("short",), METRICS["units.all"], step=True)


def refusal(source: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        SCOPE.compile(source, boolean=True)
    return caught.value


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ('units.all.exists(u, u.memory_bytes > "300 MiB")', "memory_bytes is a whole number of bytes: write 300 * MiB"),
        (
            'units.all.exists(u, u.memory_bytes > "1.5 GiB")',
            "memory_bytes is a whole number of bytes: write 1536 * MiB",
        ),
        ('units.all.exists(u, u.memory_bytes > "3000 B")', "memory_bytes is a whole number of bytes: write 3000"),
        ('units.all.exists(u, u.memory_bytes > "much")', "memory_bytes is a whole number of bytes"),
        ("units.all.exists(u, u.memory_bytes > 3.0)", "memory_bytes is a whole number of bytes: write 3"),
        ('units.all.exists(u, u.active == "yes")', "active is true/false: write it alone, or with ! before it"),
        ('processes.all.exists(p, p.uid == "0")', "uid is a whole number: write 0"),
        ('processes.all.exists(p, p.uid == "root")', "uid is a whole number"),
        ("units.all.exists(u, u.memory_percent > 80)", "memory_percent is a decimal: write 80.0"),
        ("processes.all.exists(p, p.unit == 3)", 'unit is text: write "3"'),
        ("units.all.exists(u, u.policy.restart == true)", "policy.restart is text"),
        ("processes.all.exists(p, p.unit in [1, 2])", "unit is text"),
        ('units.all.exists(u, "a" in u.name)', "name is text"),
        ("units.all.exists(u, -u.name < 3)", "name is text"),
        ("buddy.zones.exists(z, z.extfrag[9] > 1)", "extfrag is a list of decimals: write 1.0"),
        ('item.memory_bytes > "300 MiB"', "memory_bytes is a whole number of bytes: write 300 * MiB"),
        ('units.all[0].active == "yes"', "active is true/false: write it alone, or with ! before it"),
        (
            'size(units.all.filter(u, u.active == "yes")) > 0',
            "active is true/false: write it alone, or with ! before it",
        ),
        ("units.all.exists(u, cgroups.all.exists(c, c.unit == u.memory_bytes))", "unit is text"),
        ('before.units.all.exists(u, u.uid == "x" || u.active == "yes")', "there are: "),
        ('(checks.short ? units.all : units.growing).exists(u, u.memory_bytes > "3 MiB")', "write 3 * MiB"),
        ("units.all.all(u, u.name)", "name is text"),
        ('units.all.map(u, u.memory_bytes).exists(n, n == "x")', ""),
        ('units.all.exists(u, u.name.startsWith("a") && parameters.n > u.name)', "name is text"),
    ],
)
def test_what_a_field_is_not_is_refused_with_what_to_write(source: str, hint: str) -> None:
    assert hint in refusal(source).hint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('units.all.exists(u, u.memory_bytes > "x")', "'>' does not work on a whole number and text"),
        ('units.all.exists(u, u.active == "yes")', "'==' does not work on true/false and text"),
        ("units.all.exists(u, u.name)", "what is asked of each item must be true or false, it is text"),
        ("units.all.exists(u, u.active ? u.name : 3)", "'? :' does not work on"),
    ],
)
def test_the_message_is_plain(source: str, message: str) -> None:
    assert refusal(source).message.startswith(message)


@pytest.mark.parametrize(
    ("source", "place", "word"),
    [
        ('units.all.exists(u, u.active == "yes")', (1, 30), "u.active"),
        ('checks.short && parameters.n > 3 && units.all.exists(u, u.active == "yes")', (1, 66), "u.active"),
        ('units.all.exists(u,\n  u.memory_bytes > 3 && u.active == "yes")', (2, 34), "u.active"),
        ('units.all.exists(u, u.name == "é" && u.memory_bytes > "é")', (1, 53), "u.memory_bytes"),
        ("units.all.map(u, u.name).exists(n, n > 3)", (1, 38), ">"),
    ],
)  # fmt: skip
def test_its_place_is_that_in_the_authors_text(source: str, place: tuple[int, int], word: str) -> None:
    error = refusal(source)
    assert (error.line, error.column, error.word) == (*place, word)


@pytest.mark.parametrize(
    "source",
    [
        "units.all.exists(u, u.memory_bytes > 300 * MiB && u.active && u.memory_percent > 80.0)",
        'units.all.exists(u, u.name.endsWith(".service") && u.policy.restart != "no")',
        "units.all.filter(u, u.memory_bytes + u.swap_bytes > 3).map(u, u.name).exists(n, n == target)",
        "buddy.zones.exists(z, z.extfrag[parameters.n] > 0.5 && z.extfrag[9] < 0.5)",
        "units.all.exists(u, double(u.memory_bytes) / 2.0 > u.memory_percent)",
        "size(item.name) > 3 && units.all[0].name < item.name",
    ],
)
def test_what_is_right_passes(source: str) -> None:
    SCOPE.compile(source, boolean=True)


def test_nobody_may_write_the_casts_himself() -> None:
    assert "unknown name '__as_int'" in refusal("units.all.exists(u, u.name.__as_int() > 3)").message


def test_a_trouble_without_a_place_is_told_as_it_is() -> None:
    class Broken:
        def compile(self, source: str) -> None:
            raise RuntimeError(f"no words for {source}")

    with pytest.raises(ConditionError, match="no words for true"):
        check_types("true", Broken(), (), None)  # type: ignore[arg-type]
