"""What events say of a unit: how often, when last, at whose limit, and whether another start ends the same way."""

from __future__ import annotations

import pytest

from memrunbook.core.units import KIB, MIB
from memrunbook.facts.oom import OomEvent
from memrunbook.facts.shared.kills import Kills, kills_by_unit

OWN = OomEvent(
    class_="memcg", unit="a.service", oom_memcg="/system.slice/a.service", limit_bytes=300 * MIB, age_seconds=90.0,
    victim_bytes=290 * MIB,
)  # fmt: skip
GLOBAL = OomEvent(class_="global", unit="a.service", oom_memcg="", age_seconds=20.0, victim_bytes=5 * MIB)
NOBODY = OomEvent(class_="global", unit="", age_seconds=10.0)


def test_the_newest_kill_says_whose_limit_and_all_of_them_how_much_was_held() -> None:
    assert kills_by_unit([GLOBAL, OWN, NOBODY]) == {
        "a.service": Kills(
            count=2, age=90.0, held_bytes=290 * MIB, limit_group="/system.slice/a.service", limit_bytes=300 * MIB
        )
    }
    assert kills_by_unit([OWN, GLOBAL])["a.service"] == Kills(count=2, age=20.0, held_bytes=290 * MIB)
    assert kills_by_unit([]) == {}


@pytest.mark.parametrize(
    ("group", "own"),
    [
        ("/system.slice/a.service", True),
        ("/app.slice", False),
        ("/system.slice/aa.service", False),
        ("/kubepods", False),
        ("", False),
    ],
)
def test_the_limit_of_a_group_above_is_not_the_services_own(group: str, own: object) -> None:
    assert Kills(limit_group=group).own_limit("a.service") is own


@pytest.mark.parametrize(
    ("count", "lived", "soon"),
    [(1, 4.0, True), (1, 119.9, True), (1, 120.0, False), (3, 400.0, True), (3, 36000.0, False), (1, None, False),
     (2, None, True)],
)  # fmt: skip
def test_who_reaches_its_limit_in_minutes_reaches_it_again(count: int, lived: float | None, soon: object) -> None:
    assert Kills(count=count, limit_group="/app.slice").died_soon(lived) is soon
    assert not Kills(count=count).died_soon(lived), "no limit was hit"


@pytest.mark.parametrize(
    ("then", "now", "stands"),
    [(300 * MIB, 300 * MIB + 4 * KIB, True), (300 * MIB, 375 * MIB, False), (300 * MIB, None, False), (None, 5, False)],
)
def test_a_limit_that_was_raised_does_not_stand(then: int | None, now: int | None, stands: object) -> None:
    assert Kills(limit_bytes=then).stands(now) is stands
