"""The service policy is written into the units of a snapshot."""

from __future__ import annotations

from typing import Any

from tests.lab.small import Memory, Service, Units, snapshot

from memrunbook.core.action.policy import ServicePolicy, ServiceRule
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.runtime.services import with_policy

POLICY = ServicePolicy((ServiceRule(unit="web*", restart="yes"),))


class Oom(Reading, frozen=True, kw_only=True):
    victim_units: list[Service] | None = None
    events: tuple[int, ...] = ()


def test_every_list_of_units_is_filled() -> None:
    web, db = Service(name="web"), Service(name="db")
    units = Units(all=(web, db), growing=(web,), suspects=(db,))
    now = with_policy(snapshot(units=units, oom=Oom(victim_units=[web]), memory=Memory()), POLICY)
    filled: Any = now.readings["units"]
    assert [unit.policy.restart for unit in filled.all] == ["yes", "unlisted"]
    assert [unit.policy.restart for unit in filled.growing + filled.suspects] == ["yes", "unlisted"]
    assert type(filled.all) is tuple
    assert [unit.policy.restart for unit in now.value("oom.victim_units")] == ["yes"]
    assert now.readings["memory"] == Memory()


def test_what_was_not_read_stays_so() -> None:
    denied = Unavailable("denied", "permission denied")
    now = with_policy(snapshot(units=denied, oom=Oom(victim_units=None)), POLICY)
    assert now.readings == {"units": denied, "oom": Oom(victim_units=None)}


def test_without_rules_nothing_is_touched() -> None:
    units = Units(all=(Service(name="web"),))
    assert with_policy(snapshot(units=units), ServicePolicy()).readings["units"] is units
