"""A service that leaks is told with what decides whether a rule may restart it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from tests.unit.facts.shared.pasts import grown, now

from memrunbook.core.units import HOUR, MIB
from memrunbook.facts.shared.leaking_units import LeakingUnit, with_leaking
from memrunbook.facts.units import Units
from memrunbook.linux.service import UNREAD, Service

LEAKY = Service(
    name="api.service", active=True, state="active", own_bytes=4000 * MIB, invocation_id="7", can_start=True,
    can_stop=True, cgroup="/system.slice/api.service",
)  # fmt: skip
PAST = grown("unit", "api.service", "units.own_bytes", 4000, 60, "7")


def leaking(**more: Any) -> LeakingUnit:
    reading: Any = with_leaking(Units(count=1, all=[structs.replace(LEAKY, **more)], suspects=[]), now(PAST))
    assert reading.leaks_known
    (found,) = reading.leaking
    assert isinstance(found, LeakingUnit)
    return found


def test_one_that_systemd_can_stop_and_start_is_restartable() -> None:
    found = leaking()
    assert (found.name, found.restartable, found.details_known, found.active) == ("api.service", True, True, True)
    assert found.cgroup == "/system.slice/api.service"
    assert 50 < found.growth_bytes_per_second * HOUR / MIB < 70


@pytest.mark.parametrize("no", ["can_start", "can_stop", "refuse_manual_start", "refuse_manual_stop"])
def test_each_word_against_a_restart_counts(no: str) -> None:
    assert not leaking(**{no: no.startswith("refuse")}).restartable


def test_what_was_not_read_is_not_taken_for_known() -> None:
    found = leaking(state=UNREAD)
    assert not found.details_known
    assert leaking(cluster_managed=True).cluster_managed
    assert leaking(restarted_often=True).restarted_often


def test_a_service_whose_own_memory_is_not_known_leaks_for_nobody() -> None:
    unread = structs.replace(LEAKY, own_bytes=None)
    reading: Any = with_leaking(Units(count=1, all=[unread], suspects=[]), now(PAST))
    assert (reading.leaking, reading.leaks_known) == ([], True)


def test_without_a_past_nobody_is_cleared() -> None:
    reading: Any = with_leaking(Units(count=1, all=[LEAKY], suspects=[]), now())
    assert (reading.leaking, reading.leaks_known) == (None, False)
    assert reading.unavailable["leaking"].reason == "not yet"
