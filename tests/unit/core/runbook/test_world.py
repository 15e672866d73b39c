"""A world gives every name its plain value, or says why there is none."""

from __future__ import annotations

from tests.lab.small import METRICS, Memory, Service, Units, snapshot

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.world import World, plain
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
