from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading, Unavailable
from memrunbook.core.reading.metric import catalogue, metrics_of
from memrunbook.core.units import Unit


class Inner(Struct, frozen=True):
    share: Annotated[float | None, Doc("a share", Unit.PERCENT, "/inner")] = None


class Item(Struct, frozen=True):
    name: Annotated[str, Doc("its name", source="/item")]
    inner: Inner = Inner()


class Sky(Reading, frozen=True, kw_only=True):
    blue: Annotated[bool, Doc("it is blue", source="/sky")]
    stars: Annotated[int | None, Doc("how many", Unit.COUNT, "/sky")] = None
    inner: Inner = Inner()
    clouds: Annotated[list[Item], Doc("all clouds", Unit.COUNT, "/clouds")]
    sizes: Annotated[tuple[int, ...] | None, Doc("sizes", Unit.BYTES, "/sizes")] = None
    bare: int = 0


FACT = Fact(reading=Sky, parse=lambda _samples, _readings: Unavailable("absent", "no sky"), asks=(), meaning="the sky")
METRICS = metrics_of("sky", FACT)


def test_the_fields_of_a_reading_are_its_metrics() -> None:
    assert {name: metric.kind for name, metric in METRICS.items()} == {
        "sky.supported": "bool",
        "sky.blue": "bool",
        "sky.stars": "int",
        "sky.inner.share": "double",
        "sky.clouds": "list",
        "sky.sizes": "list(int)",
        "sky.bare": "int",
    }


def test_a_metric_carries_its_documentation() -> None:
    share = METRICS["sky.inner.share"]
    assert (share.meaning, share.unit, share.source) == ("a share", Unit.PERCENT, "/inner")
    assert METRICS["sky.supported"].source == "the sky"
    assert METRICS["sky.bare"].meaning == ""


def test_the_items_of_a_list_have_metrics_of_their_own() -> None:
    fields = METRICS["sky.clouds"].fields
    assert {name: metric.kind for name, metric in fields.items()} == {"name": "string", "inner.share": "double"}
    assert fields["name"].meaning == "its name"


def test_the_catalogue_holds_all_facts_in_order() -> None:
    names = list(catalogue({"b": FACT, "a": FACT}))
    assert names[0] == "a.supported"
    assert len(names) == 2 * len(METRICS)
    assert "b.inner.share" in names
