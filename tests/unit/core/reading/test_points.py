"""What a reading leaves: made of what facts say in their own files, bounded, and of hostile text too."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from memrunbook import catalog
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Doc, Fact, Reading, Unavailable
from memrunbook.core.reading.figures import Figure, Holders
from memrunbook.core.reading.points import LONGEST_NAME, kept_name, series_of
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.reading.snapshot import Snapshot

NOW = Instant(1_700_000_000.0, 0.0)


class Item(Struct, frozen=True):
    name: str
    bytes: int | None
    swap: int | None = None
    kind: str = "service"
    age: float = 10.0
    limit: int | None = None


class Inner(Struct, frozen=True):
    avg: float | None = None


class Hold(Reading, frozen=True, kw_only=True):
    total: Annotated[int | None, Doc("all")] = None
    free: Annotated[int | None, Doc("free")] = None
    inner: Inner = Inner()
    all: list[Item] = msgspec.field(default_factory=list)


def fact(*history: Figure | Holders) -> dict[str, Fact]:
    return {"hold": Fact(Hold, lambda *_: Hold(), (), history=history)}


def snapshot(reading: Reading | Unavailable) -> Snapshot:
    identity = HostIdentity(machine_id="m", boot_id="b")
    return Snapshot("web", identity, NOW, {"hold": reading, "other": Hold()})


def test_a_figure_of_the_host_has_the_boot_as_its_life_and_what_bounds_it_as_its_limit() -> None:
    facts = fact(Figure("free", limit="total"), Figure("inner.avg"), Figure("total", kind="kernel"))
    found = series_of(snapshot(Hold(total=9, free=4)), facts)
    assert found == (
        Series("host", "", "hold.free", (Observation(NOW.utc, 4.0, "b", 9.0),)),
        Series("kernel", "", "hold.total", (Observation(NOW.utc, 9.0, "b"),)),
    )


def test_what_could_not_be_read_leaves_nothing() -> None:
    assert series_of(snapshot(Unavailable("denied", "no")), fact(Figure("free"))) == ()


def test_the_largest_holders_are_kept_with_sums_lives_and_limits() -> None:
    sizes = {"held": ("bytes", "swap"), "swap": ("swap",)}
    holders = Holders("unit", "all", sizes, life=("name", "age"), limit="limit", most=2)
    items = [Item("small", 1), Item("large", 5, 2, limit=9), Item("none", None), Item("other", 3)]
    found = series_of(snapshot(Hold(all=items)), fact(holders))
    assert [(one.name, one.figure, one.points[0].value) for one in found] == [
        ("large", "hold.held", 7.0), ("large", "hold.swap", 2.0), ("other", "hold.held", 3.0),
    ]  # fmt: skip
    assert (found[0].points[0].life, found[0].points[0].limit) == ("large:10.0", 9.0)


def test_some_items_only() -> None:
    holders = Holders("cgroup", "all", {"b": ("bytes",)}, only=("kind", frozenset({"slice"})), least=("age", 60.0))
    items = [Item("a", 1, kind="slice", age=61), Item("b", 2, age=61), Item("c", 3, kind="slice")]
    assert [one.name for one in series_of(snapshot(Hold(all=items)), fact(holders))] == ["a"]


def test_hostile_names_can_be_stored() -> None:
    item = Item("a\0b\udc80" + "x" * 500, 1)
    (found,) = series_of(snapshot(Hold(all=[item])), fact(Holders("unit", "all", {"b": ("bytes",)})))
    assert found.name.startswith("ab?x")
    assert len(found.name) == 255


@pytest.mark.parametrize("name", [name for name, one in catalog.facts().items() if one.history])
def test_what_facts_keep_are_metrics_of_theirs(name: str) -> None:
    known = catalog.metrics()
    for kept in catalog.facts()[name].history:
        if isinstance(kept, Figure):
            assert {kept.path, kept.limit or kept.path} <= {one.removeprefix(f"{name}.") for one in known}
        else:
            fields = {*kept.name, *kept.life, *(field for sum_ in kept.figures.values() for field in sum_)}
            fields |= {word for word in (kept.limit, *(one[0] for one in (kept.only, kept.least) if one)) if word}
            assert fields <= set(known[f"{name}.{kept.path}"].fields)


@given(st.text(min_size=256))
def test_long_names_are_kept_apart_by_one_rule(name: str) -> None:
    kept = kept_name(name)
    assert len(kept) <= LONGEST_NAME
    assert kept_name(kept) == kept
    assert kept_name(name + "a") != kept_name(name + "b")
