"""Evidence of a list names who it is: pid, name and value, at most three of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab.small import METRICS, MIB, Memory, Service, Units, snapshot

from memrunbook import catalog
from memrunbook.core.runbook.condition import Condition, Evidence, Scope
from memrunbook.core.runbook.named import EvidenceItem
from memrunbook.core.runbook.world import World

SCOPE = Scope(METRICS, {"size": "int"}, ("short",))
SERVICES = tuple(Service(name=f"s{n}", bytes=(9 - n) * MIB, main_pid=n, failed=n > 5) for n in range(8))
NOW = snapshot(
    memory=Memory(available_percent=5.0),
    units=Units(all=(*SERVICES, Service(name="unread", bytes=None)), growing=SERVICES[:2]),
)


def evidence(source: str) -> dict[str, Evidence]:
    condition = Condition((SCOPE.compile(source, boolean=True),))
    return {one.metric: one for one in condition.named(World(NOW, METRICS, {"size": 4 * MIB}, {"short": True}))}


def held(name: str, mib: int) -> EvidenceItem:
    return EvidenceItem(name, None, "bytes", mib * MIB, "bytes")


@pytest.mark.parametrize(
    ("source", "items", "more"),
    [
        ("units.all.exists(u, u.bytes > parameters.size)", [held("s0", 9), held("s1", 8), held("s2", 7)], 2),
        ('units.all.exists(u, u.name == "s3" && u.bytes > 1)', [held("s3", 6)], 0),
        ('units.all.exists(u, u.name == "s3")', [EvidenceItem("s3")], 0),
        ("units.all.exists(u, u.main_pid == 4)", [EvidenceItem("s4")], 0),
        ("units.all.exists_one(u, u.bytes == 9 * MiB)", [held("s0", 9)], 0),
        ("size(units.all.filter(u, u.bytes > 8 * MiB)) > 0", [held("s0", 9)], 0),
        ("units.all.all(u, u.bytes < 9 * MiB)", [held("s0", 9)], 0),
        ('units.all.exists(u, u.name == ")" || u.bytes > 8 * MiB)', [held("s0", 9)], 0),
        ("units.all.exists(u, units.growing.exists(g, g.name == u.name) && u.bytes > 8 * MiB)", [held("s0", 9)], 0),
        ("!units.all.exists(u, u.bytes > 90 * MiB)", [], 0),
        ("units.all.exists(u, u.bytes > 90 * MiB) || units.all.exists(u, u.bytes > 8 * MiB)", [held("s0", 9)], 0),
        ("checks.short && units.all.exists(u, u.failed && u.bytes > 2 * MiB)", [held("s6", 3)], 0),
        ("units.all[0].bytes > 1", [], 0),
    ],
)  # fmt: skip
def test_who_makes_it_hold_is_named(source: str, items: list[EvidenceItem], more: int) -> None:
    found = evidence(source)["units.all"]
    assert (list(found.items), found.more, found.value) == (items, more, 9)


def test_whoever_is_only_counted_is_named_too() -> None:
    found = evidence("size(units.growing) > 1 && memory.available_percent < 10.0")
    assert found["units.growing"].items == (held("s0", 9), held("s1", 8))
    assert found["memory.available_percent"].items == ()


def test_a_list_that_could_not_be_had_names_nobody() -> None:
    condition = Condition((SCOPE.compile("size(units.all) > 1", boolean=True),))
    [found] = condition.named(World(snapshot(), METRICS))
    assert (found.items, found.why) == ((), "this fact was not read")


def test_a_process_has_its_pid_and_a_victim_its_name() -> None:
    metrics = catalog.metrics()
    kinds = {"processes": catalog.facts()["processes"].reading, "oom": catalog.facts()["oom"].reading}
    process = {"pid": 812, "name": "java", "parent": 1, "threads": 3, "rss_bytes": 5 * MIB, "anonymous_bytes": MIB,
               "start_ticks": 1, "age_seconds": 1.0}  # fmt: skip
    read: Any = msgspec.convert({"seen": 1, "shown": 1, "all": [process]}, kinds["processes"])
    source = "processes.all.exists(p, p.pid == 812 && p.threads > 1 && p.rss_bytes > MiB)"
    condition = Condition((Scope(metrics, {}).compile(source, boolean=True),))
    [found] = condition.named(World(snapshot(processes=read), metrics))
    assert found.items == (EvidenceItem("java", 812, "rss_bytes", 5 * MIB, "bytes"),)


def test_what_has_no_name_is_called_after_its_list() -> None:
    nameless = snapshot(units=Units(all=(Service(name="", bytes=5),)))
    condition = Condition((SCOPE.compile("units.all.exists(u, u.bytes > 1)", boolean=True),))
    [found] = condition.named(World(nameless, METRICS))
    assert found.items == (EvidenceItem("units.all", None, "bytes", 5, "bytes"),)
