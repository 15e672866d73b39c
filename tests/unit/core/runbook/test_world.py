"""A world gives every name its plain value, or says why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.lab.small import METRICS, Memory, Service, Units, snapshot

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.world import Values, World, plain, values_of
from memrunbook.core.units import GIB, KIB, MIB, Unit

NOW = snapshot(
    memory=Memory(available_percent=5, available_bytes=7), units=Units(all=(Service(name="web", bytes=None),))
)
WORLD = World(NOW, METRICS, {"least": 3}, {"short": False})


def test_constants_are_sizes() -> None:
    assert [WORLD.lookup(name) for name in ("KiB", "MiB", "GiB")] == [KIB, MIB, GIB]


def test_parameters_and_checks_are_looked_up_by_their_own_name() -> None:
    assert WORLD.lookup("parameters.least") == 3
    assert WORLD.lookup("checks.short") is False
    assert WORLD.lookup("parameters.most") == Unavailable("failed", "parameters.most has no value")
    assert WORLD.lookup("checks.long") == Unavailable("failed", "the check long is unknown")


def test_item_and_target_exist_where_they_were_given() -> None:
    here = WORLD.at(item={"name": "web"}, target="db")
    assert (here.lookup("item"), here.lookup("target")) == ({"name": "web"}, "db")
    assert WORLD.lookup("item") == Unavailable("failed", "there is no item here")
    assert WORLD.lookup("target") == Unavailable("failed", "there is no target here")
    assert WORLD.at(item={}).lookup("item") == {}


def test_before_looks_into_the_earlier_snapshot() -> None:
    here = WORLD.at(before=snapshot(memory=Memory(available_bytes=2)))
    assert (here.lookup("before.memory.available_bytes"), here.lookup("memory.available_bytes")) == (2, 7)
    assert WORLD.lookup("before.memory.available_bytes") == Unavailable(
        "failed", "memory.available_bytes before the step is not known"
    )
    missing = here.lookup("before.units.all")
    assert isinstance(missing, Unavailable)


def test_a_double_is_a_double_even_when_it_is_whole() -> None:
    assert isinstance(WORLD.lookup("memory.available_percent"), float)
    assert plain(True, None) is True
    assert plain(4, Metric("x", "int", Unit.NONE, "", "")) == 4


def test_items_are_maps_without_what_could_not_be_had() -> None:
    (item,) = WORLD.lookup("units.all")
    assert item["name"] == "web"
    assert item["policy"]["restart"] == "unlisted"
    assert "bytes" not in item
    assert plain([(1, None), [{"a": None, "b": 0}]], None) == [[1, None], [{"b": 0}]]


class Counting(dict[str, Any]):
    """Readings that count how often each is looked at."""

    def __init__(self, readings: Mapping[str, Any]) -> None:
        super().__init__(readings)
        self.looks: Counter[str] = Counter()

    def get(self, key: str, default: Any = None) -> Any:
        self.looks[key] += 1
        return super().get(key, default)


def test_a_metric_is_converted_once_whoever_asks() -> None:
    readings = Counting(NOW.readings)
    values = Values(readings, METRICS)
    first = [values.value("units.all"), values.value("memory.available_bytes")]
    looked = dict(readings.looks)
    assert [values.value("units.all"), values.value("memory.available_bytes")] == first
    assert values.value("units.all") is first[0]
    assert dict(readings.looks) == looked


def test_what_two_views_of_a_host_read_alike_is_kept_once() -> None:
    other = replace(NOW, readings={**NOW.readings, "memory": Memory(available_bytes=8)})
    here = values_of(NOW, METRICS)
    there = values_of(other, METRICS, alike=NOW)
    assert there.value("units.all") is here.value("units.all")
    assert (there.value("memory.available_bytes"), here.value("memory.available_bytes")) == (8, 7)
    assert there.of({"units"}) is here
    assert there.of({"units", "memory"}) is there
    assert here.of({"memory"}) is here


def test_a_list_that_another_view_reads_alike_is_the_one_that_is_filled() -> None:
    here = replace(NOW)
    other = replace(NOW, readings={**NOW.readings, "memory": Memory(available_bytes=8)})
    there = values_of(other, METRICS, alike=here)
    offered = there.offered()
    assert offered["units.all"] == []
    filled = there.value("units.all")
    assert filled
    assert offered["units.all"] is filled


def test_what_was_worked_out_of_a_snapshot_is_no_part_of_it() -> None:
    same = replace(NOW)
    assert values_of(NOW, METRICS) is values_of(NOW, METRICS)
    assert values_of(same, METRICS) is not values_of(NOW, METRICS)
    assert same == NOW
    assert msgspec.to_builtins(same) == msgspec.to_builtins(NOW)
    assert values_of(NOW, dict(METRICS)) is not values_of(same, METRICS)


def test_a_lean_list_has_the_fields_that_are_asked_for() -> None:
    values = values_of(replace(NOW), METRICS)
    assert values.lean("units.all", ["name"]) == [{"name": "web"}]
    assert isinstance(values.lean("nosuch.all", ["name"]), Unavailable)
