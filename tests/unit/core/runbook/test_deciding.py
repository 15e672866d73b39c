"""A condition that holds is told by the two or three figures that decide, never by all that it looks at."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runbooks.worlds import snapshot

from memrunbook import catalog
from memrunbook.core.runbook.condition import Condition, Scope
from memrunbook.core.runbook.world import World
from memrunbook.core.units import GIB

METRICS = catalog.metrics()
CHECKS = {"short": True, "held": False, "large": True}
SHORT: dict[str, Any] = {
    "memory.available_percent": 3.0,
    "memory.available_bytes": 2 * GIB,
    "vmstat.allocstalls_per_second": 20.0,
    "pressure.full.percent": 12.0,
    "pressure.full.avg60": 11.0,
    "swap.free_percent": 2.0,
}


def condition(*parts: str) -> tuple[Condition, World]:
    scope = Scope(METRICS, {"all": "bool"}, tuple(CHECKS))
    world = World(snapshot(SHORT), METRICS, {"all": False}, CHECKS)
    return Condition(tuple(scope.compile(part, boolean=True) for part in parts)), world


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        # One figure in two forms is one figure.
        (("memory.available_percent < 5.0 && memory.available_bytes < 4 * GiB",), ["memory.available_percent"]),
        (("pressure.full.avg60 > 5.0 && pressure.full.percent > 5.0",), ["pressure.full.avg60"]),
        # Of alternatives the first that holds; what is offered, and that nothing is there, tell nothing.
        (
            ("vmstat.major_faults_per_second > 500.0 || memory.available_percent < 5.0",),
            ["memory.available_percent"],
        ),
        (("pressure.supported && pressure.full.percent >= 5.0",), ["pressure.full.percent"]),
        (("size(cgroups.pressed) == 0 && memory.available_percent < 5.0",), ["memory.available_percent"]),
        (("!units.all.exists(u, u.failed) && memory.available_percent < 5.0",), ["memory.available_percent"]),
        (("vmstat.counts_kills && memory.available_percent < 5.0",), ["memory.available_percent"]),
        # Of a choice the side that was taken.
        (
            ("pressure.supported ? pressure.full.percent > 5.0 : vmstat.allocstalls_per_second > 0.0",),
            ["pressure.full.percent"],
        ),
        # More than nothing tells little beside two figures with bounds, and something beside one.
        (
            ("memory.available_percent < 5.0", "vmstat.allocstalls_per_second > 0.0"),
            ["memory.available_percent", "vmstat.allocstalls_per_second"],
        ),
        (
            ("swap.total_bytes > 0 && swap.free_percent < 10.0", "memory.available_percent < 10.0"),
            ["swap.free_percent", "memory.available_percent"],
        ),
        # Three at most.
        (
            (
                "memory.available_percent < 5.0 && swap.free_percent < 5.0",
                "pressure.full.percent > 5.0 && vmstat.allocstalls_per_second > 5.0",
            ),
            ["memory.available_percent", "swap.free_percent", "pressure.full.percent"],
        ),
        # What is left where nothing tells more.
        (("size(cgroups.pressed) == 0",), ["cgroups.pressed"]),
        (("!(memory.available_percent > 5.0 || swap.free_percent > 5.0)",),
         ["memory.available_percent", "swap.free_percent"]),
    ],
)  # fmt: skip
def test_the_figures_that_decide(parts: tuple[str, ...], told: list[str]) -> None:
    found, world = condition(*parts)
    assert found.verdict(world).holds
    assert list(found.deciding(world)) == told


@pytest.mark.parametrize(
    ("incident", "held"),
    [
        ("checks.short || checks.held || checks.large", {"short", "large"}),
        ("checks.short || (parameters.all && checks.large)", {"short"}),
        ("checks.held || (checks.short && !checks.held)", {"short", "held"}),
        ("memory.available_percent < 5.0", set()),
    ],
)
def test_every_check_by_which_an_incident_applies_is_a_reason(incident: str, held: set[str]) -> None:
    found, world = condition(incident)
    assert found.checks_that_hold(world) == held


def test_what_a_condition_lacks_is_nothing_where_it_holds() -> None:
    found, world = condition("memory.available_percent < 5.0")
    assert found.lacking(world) == ()
