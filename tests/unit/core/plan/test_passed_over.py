"""What a step says that matches nothing: what it looked for, and what it saw."""

from __future__ import annotations

import msgspec
import pytest
from tests.lab.small import Units, runbook, services, snapshot, step

from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.passed_over import nothing_matches
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Step


def said(one: Step, now: Snapshot) -> str:
    return nothing_matches(one, world_of(runbook(), now))


@pytest.mark.parametrize(
    ("for_each", "units", "seen"),
    [
        ("units.suspects", Units(), "none in units.suspects (those that may)"),
        ("units.all.filter(u, u.failed)", services("web"), "1 in units.all (web), none fits"),
        ("units.all.filter(u, u.failed)", services("a", "b", "c", "d"), "4 in units.all (a, b, c, …), none fits"),
        (
            "units.growing.filter(g, units.all.exists(u, u.name == g.name && u.failed))",
            msgspec.structs.replace(services("web"), growing=()),
            "none in units.growing (those that grow) and 1 in units.all (web), none fits",
        ),
        ("units.all.filter(u, u.failed)", Unavailable("denied", "no"), "units.all is unknown"),
    ],
)
def test_it_names_the_list_and_who_is_in_it(for_each: str, units: Units | Unavailable, seen: str) -> None:
    assert said(step(for_each=for_each), snapshot(units=units)) == f"looked for {for_each}; seen: {seen}"


def test_where_no_list_is_looked_through_its_words_stand() -> None:
    assert said(step(), snapshot()) == "there is nothing to act on"
