"""Which fields of which items an expression speaks of: each must exist, wherever it stands."""

from __future__ import annotations

import pytest

from memrunbook import catalog
from memrunbook.core.runbook.environment import shared
from memrunbook.core.runbook.fields import Field, Fields
from memrunbook.core.runbook.refusal import ConditionError
from memrunbook.core.runbook.tree import tree_of

METRICS = catalog.metrics()


def found(source: str, item: str = "") -> list[Field]:
    fields = Fields(METRICS, METRICS[item] if item else None)
    return fields.of(tree_of(shared(METRICS).compile(source)))


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("units.all.exists(u, u.memory_bytes > 3)", ["memory_bytes"]),
        ("units.all[0].name == 'x'", ["name"]),
        ("units.all.filter(u, u.active)[0].policy.restart == 'no'", ["policy.restart", "active"]),
        ("units.all.filter(u, u.active).exists(v, v.failed)", ["active", "failed"]),
        ("units.all.map(u, u.name).exists(n, n == 'x')", ["name"]),
        ("units.all.exists(u, cgroups.all.exists(c, c.unit == u.name))", ["unit", "name"]),
        ("(vmstat.supported ? units.all : units.growing).all(u, u.active)", ["active"]),
        ("(units.all + units.growing).all(u, u.active)", ["active"]),
        ("[units.all[0]].exists(u, u.active)", ["active"]),
        ("(vmstat.supported ? units.all[0] : units.growing[0]).active", ["active"]),
        ("before.units.all.exists(u, u.active)", ["active"]),
        ("units.all.exists_one(u, u.active)", ["active"]),
        ("buddy.zones.all(z, z.extfrag[9] > 0.5)", ["extfrag"]),
        ("item.name.startsWith('w')", ["name"]),
        ("[1].exists(n, n > 1) || size(units.all) > 1", []),
        ("{'a': 1}['a'] == 1 || {'a': {'b': 1}}.a.b == 1", []),
    ],
)
def test_they_are_found_wherever_they_stand(source: str, paths: list[str]) -> None:
    assert [field.path for field in found(source, "units.all")] == paths


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("units.all[0].nmae == 'x'", "an item of units.all has no field 'nmae'"),
        ("units.all.exists(u, cgroups.all.exists(c, c.memory_bytes > u.memory_bytes))", "of cgroups.all has no field"),
        ("(units.all + units.growing).filter(u, u.active)[0].zzz == 1", "of units.all has no field 'zzz'"),
        ('units.all.exists(u, u["typo"] == 1)', "a field is named with a dot"),
        ('units.all.exists(u, "memory_bytes" in u)', '"in" is not offered for an item'),
    ],
)
def test_what_is_not_there_or_cannot_be_checked_is_refused(source: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message.replace("(", ".")):
        found(source)


def test_two_lists_may_have_different_things_by_one_name() -> None:
    [one] = found("(vmstat.supported ? oom.events : oom.cache_drops).exists(e, e.age_seconds > 1.0)")
    assert one.metric is not None
    assert one.metric.kind == "double"
    [other] = found("(vmstat.supported ? shm.segments[0] : zram.devices[0]).name == 'x'")
    assert other.metric is not None
    assert (other.metric.kind, other.text) == ("string", "name")
    [mixed] = found("(vmstat.supported ? units.all[0] : buddy.zones[0]).main == 1")
    assert mixed.metric is not None
    [unlike] = found("(vmstat.supported ? containers.all[0] : units.all[0]).restarts > 1")
    assert unlike.metric is not None


@pytest.mark.parametrize(
    ("source", "lists"),
    [
        ("units.growing", ["units.growing"]),
        ("units.all.exists(u, u.active) ? cgroups.all : []", ["cgroups.all"]),
        ("cgroups.all.filter(c, units.all.exists(u, u.name == c.unit))", ["cgroups.all"]),
        (
            "size(units.all) > 3 ? cgroups.all.filter(c, c.unit != '') : cgroups.pressed",
            ["cgroups.all", "cgroups.pressed"],
        ),
        ("units.suspects + units.all.filter(u, u.active)", ["units.suspects", "units.all"]),
        ("units.all.exists(u, u.active)", []),
    ],
)
def test_whose_items_are_handed_out_is_told_from_what_is_looked_into(source: str, lists: list[str]) -> None:
    handed = Fields(METRICS).handed_out(tree_of(shared(METRICS).compile(source)))
    assert [metric.name for metric in handed] == lists
