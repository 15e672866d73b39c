"""A step for which nothing was found says what was looked for, and what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.small import METRICS, MIB, Memory, Service, Units, snapshot

from memrunbook import catalog
from memrunbook.core.plan.nothing import nothing_found, why_not
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.condition import Condition, Scope
from memrunbook.core.runbook.world import World

SOME = Units(all=(Service(name="web", bytes=3 * MIB), Service(name="db", bytes=None)))


def said(source: str, metrics: Any = METRICS, **readings: Any) -> str:
    expression = Scope(metrics, {}).compile(source, boolean=False)
    return nothing_found(expression, World(snapshot(**readings), metrics))


@pytest.mark.parametrize(
    ("source", "units", "words"),
    [
        (
            "units.suspects",
            SOME,
            "no large or growing service: 2 services seen, the largest, web, holds 3.0 MiB",
        ),
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
        ("units.growing", Unavailable("denied", "no"), "no growing service: none was seen"),
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


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ('u.policy.freeze == "yes"', "that may be frozen (services.yaml, freeze: yes)"),
        ('u.policy.stop == "yes" && u.own_bytes > 64 * MiB',
         "that may be stopped (services.yaml, stop: yes), with more than 64 MiB of its own"),
        ('u.freezer_state == "frozen"', "that is frozen"),
        ('u.policy.restart != "no" && u.memory_percent >= 5.0', "that may be restarted, with 5.0 % of RAM or more"),
        ('u.policy.limit == "yes" && u.policy.memory_max_bytes > 0', "that may be limited (services.yaml, limit: yes)"),
    ],
)  # fmt: skip
def test_what_a_filter_asks_is_said_in_words(asked: str, words: str) -> None:
    units = Unavailable("absent", "no systemd")
    assert said(f"units.all.filter(u, {asked})", catalog.metrics(), units=units) == f"no service {words}: none was seen"
    found = said(f"units.suspects.filter(u, {asked})", catalog.metrics(), units=units)
    assert found == f"no large or growing service {words}: none was seen"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("checks.too_big && memory.available_percent < 50.0", "the check too-big is clear"),
        ("memory.available_percent < 3.0", "memory.available_percent is 5.0 %"),
        ("!checks.busy", "the check busy is firing"),
        ("checks.busy && (checks.too_big || memory.available_percent > 90.0)", "the check too-big is clear"),
        ("false", "false"),
    ],
)
def test_why_a_step_is_not_wanted_is_what_does_not_hold(when: str, words: str) -> None:
    scope = Scope(METRICS, {}, ("too_big", "busy"))
    world = World(snapshot(memory=Memory(available_percent=5.0)), METRICS, {}, {"too_big": False, "busy": True})
    assert why_not(Condition((scope.compile(when, boolean=True),)), world) == words


def test_a_step_that_has_no_items_needs_none() -> None:
    assert nothing_found(None, World(snapshot(), METRICS)) == "there is nothing to do it for"


@pytest.mark.parametrize(
    ("when", "units", "words"),
    [
        ("units.all.exists(u, u.failed)", SOME, "nothing in units.all fits"),
        ("units.all.exists(u, u.failed)", Units(), "units.all is 0"),
        ("size(units.all) > 5", SOME, "units.all is 2"),
    ],
)
def test_of_a_list_nothing_fits_or_it_is_too_short(when: str, units: Units, words: str) -> None:
    holds = Scope(METRICS, {}).compile(when, boolean=True)
    assert why_not(Condition((holds,)), World(snapshot(units=units), METRICS)) == words
