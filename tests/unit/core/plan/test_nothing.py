"""A step for which nothing was found says what was looked for, and what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.small import METRICS, MIB, Memory, Service, Units, snapshot

from memrunbook import catalog
from memrunbook.core.plan.nothing import nothing_found
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.condition import Scope
from memrunbook.core.runbook.world import World

SOME = Units(all=(Service(name="web", bytes=3 * MIB), Service(name="db", bytes=None)))


def said(source: str, metrics: Any = METRICS, **readings: Any) -> str:
    expression = Scope(metrics, {}).compile(source, boolean=False)
    return nothing_found(expression, World(snapshot(**readings), metrics))


@pytest.mark.parametrize(
    ("source", "units", "words"),
    [
        ("units.suspects", SOME, "no service in units.suspects: 2 services seen, the largest, web, holds 3.0 MiB"),
        (
            "units.all.filter(u,\n  u.bytes > 9 * MiB)",
            SOME,
            "no service fits units.all.filter(u, u.bytes > 9 * MiB): 2 services seen, the largest, web, holds 3.0 MiB",
        ),
        ("units.all", Units(), "no service in units.all: none was seen"),
        (
            "units.growing.filter(u, u.failed)",
            Units(all=(Service(name="web", bytes=None),)),
            "no service in units.growing.filter(u, u.failed): 1 service seen",
        ),
        ("units.growing", Unavailable("denied", "no"), "no service in units.growing: none was seen"),
        ("[1].filter(n, n > 1)", SOME, "nothing matches [1].filter(n, n > 1)"),
    ],
)
def test_the_words(source: str, units: Any, words: str) -> None:
    assert said(source, memory=Memory(), units=units) == words


def test_the_share_of_the_largest_and_a_list_without_a_sibling() -> None:
    metrics = catalog.metrics()
    tmpfs = catalog.facts()["tmpfs"].reading
    mount = {"name": "/dev/shm", "size_bytes": 9 * MIB, "used_bytes": 3 * MIB, "used_percent": 33.0, "ram_percent": 1.5}
    import msgspec

    read = msgspec.convert({"mounts": [mount]}, tmpfs, strict=False)
    assert said("tmpfs.mounts.filter(m, m.used_percent > 50.0)", metrics, tmpfs=read) == (
        "no item fits tmpfs.mounts.filter(m, m.used_percent > 50.0): 1 item seen, the largest, /dev/shm, holds 3.0 MiB "
        "(1.5 %)"
    )


def test_a_step_that_has_no_items_needs_none() -> None:
    assert nothing_found(None, World(snapshot(), METRICS)) == "there is nothing to do it for"
