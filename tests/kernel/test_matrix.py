"""Every scenario against every runbook: recognised by its own, with the right cause, and by no wrong one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.configuration import CONFIGURATIONS, Configuration
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.scenario import Truth, named, names
from tests.kernel.matrix import PROPERTY, Row, cells, faults, subsumed

pytestmark = pytest.mark.kernel
ELSEWHERE = {
    "no-psi": ("cache_full_healthy", "file_thrash", "swap_thrash"),
    "cgroup-v1": ("cache_full_healthy", "leaking_service", "swap_thrash"),
}
"""The scenarios that run in another configuration than their own; with FULL=1 all of them do."""
JUDGED = (0, 8)
LOGINS_AT_ONCE = 6


def chosen() -> list[tuple[str, Configuration]]:
    """Each scenario with each configuration that it is tried in."""
    full = os.environ.get("FULL") == "1"
    return [
        (name, configuration)
        for name in names()
        for configuration in CONFIGURATIONS.values()
        if full or name in ELSEWHERE.get(configuration.name, ()) or configuration == named(name).configuration
    ]


@pytest.mark.parametrize(("name", "configuration"), chosen(), ids=lambda value: getattr(value, "name", value))
def test_a_scenario_is_told_from_all_others(
    name: str,
    configuration: Configuration,
    guest_in: Callable[[str, Configuration], Guest],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    scenario, below = named(name), subsumed()
    truth = scenario.truth
    # In other configurations it is enough that no incident applies; memory-leak watches for two minutes: once will do.
    planned_here = truth.healthy and configuration == scenario.configuration
    plans = [one for one in below if planned_here and (one != "memory-leak" or name == "idle_healthy")]
    said: dict[str, Any] = {"incidents": [], "findings": []}
    try:
        operator = Operator(guest_in(name, configuration), tmp_path)
        said = diagnosed(operator, truth)
        wrong = [*faults(truth, said, below), *planned(operator, plans)]
    except LabError as failure:
        wrong = [f"not tried: {failure}"]
    record_property(PROPERTY, Row(name, configuration.name, truth.runbook, cells(said), tuple(wrong)).dumped())
    assert not wrong


def diagnosed(operator: Operator, truth: Truth) -> dict[str, Any]:
    """The guest as `diagnose --json` describes it."""
    ended = operator("diagnose", "--json", *(["--watch", truth.watch] if truth.watch else []))
    if ended.status not in JUDGED:
        message = f"diagnose ended with {ended.status}: {ended.err or ended.out}"
        raise LabError(message)
    host: dict[str, Any] = ended.document["hosts"][0]
    return host


def planned(operator: Operator, runbooks: Sequence[str]) -> Iterator[str]:
    """What any runbook would change on the guest, which should be nothing."""
    with ThreadPoolExecutor(LOGINS_AT_ONCE) as threads:
        for name, plan in zip(
            runbooks, threads.map(lambda name: operator("plan", name, "--json"), runbooks), strict=True
        ):
            if plan.status != 0:
                yield f"plan {name} ended with {plan.status}: {plan.err or plan.out}"
                continue
            steps = plan.document["hosts"][0]["steps"]
            changes = [step["id"] for step in steps if step["decision"] == "change"]
            if changes:
                yield f"{name} would change a healthy guest: {', '.join(changes)}"
