"""Every scenario against every runbook: recognised by its own, with the right cause, by no wrong one, and treated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.case import Case
from tests.kernel.command import Operator
from tests.kernel.concerns import tried
from tests.kernel.lab.configuration import Configuration
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.scenario import Truth, named
from tests.kernel.matrix import PROPERTY, Row, cells, faults, subsumed, untold, warnings
from tests.kernel.treatments import TREATMENTS

from memrunbook import catalog
from memrunbook.app.connectors import Connectors
from memrunbook.app.reading import ReadArguments, read
from memrunbook.core.host import Host
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.runbook.spec import Sampling
from memrunbook.documents.library import Library
from memrunbook.transports.shared.reach import Reach

pytestmark = pytest.mark.kernel
JUDGED = (0, 8, 9)
"""Nothing is wrong, something is, or something could not be judged."""
TOUCHING = {
    "freeze_unit", "limit_unit", "reclaim_cgroup", "restart_container", "restart_unit", "start_unit", "stop_process",
    "stop_unit",
}  # fmt: skip
"""The actions that somebody's service or process feels."""
LOGINS_AT_ONCE = 4
IDLE = "idle_healthy"
TRIED = tried(everywhere=os.environ.get("EVERYWHERE") == "1")


def test_every_treatment_is_of_a_scenario_that_is_tried() -> None:
    assert set(TREATMENTS) <= {(name, configuration.name) for name, configuration in TRIED}


@pytest.mark.parametrize(("name", "configuration"), TRIED, ids=lambda value: getattr(value, "name", value))
def test_a_scenario_is_told_from_all_others_and_treated(
    name: str,
    configuration: Configuration,
    guest_in: Callable[[str, Configuration], Guest],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    truth, below = named(name).truth, subsumed()
    said: dict[str, Any] = {"incidents": [], "findings": []}
    try:
        guest = guest_in(name, configuration)
        case = Case(name, guest, Operator(guest, tmp_path), record_property)
        said = diagnosed(case.operator, truth)
        wrong = [*faults(truth, said, below), *told(case.operator, truth), *planned(case.operator, truth, said, below)]
    except LabError as failure:
        wrong = [f"not tried: {failure}"]
    warned = tuple(warnings(truth, said))
    row = Row(name, configuration.name, truth.runbook, cells(said), tuple(wrong), warned)
    record_property(PROPERTY, row.dumped())
    assert not row.wrong, "\n".join(row.wrong)
    if treatment := TREATMENTS.get((name, configuration.name)):
        treatment(case)


def diagnosed(operator: Operator, truth: Truth) -> dict[str, Any]:
    """The guest as `diagnose --json` describes it."""
    ended = operator("diagnose", "--json", *(["--watch", truth.watch] if truth.watch else []))
    if ended.status not in JUDGED:
        message = f"diagnose ended with {ended.status}: {ended.err or ended.out}"
        raise LabError(message)
    host: dict[str, Any] = ended.document["hosts"][0]
    return host


def told(operator: Operator, truth: Truth) -> Iterator[str]:
    """The names that the report leaves out, as somebody reads it."""
    yield from untold(truth, operator("diagnose").out) if truth.says else ()


def planned(operator: Operator, truth: Truth, host: Mapping[str, Any], runbooks: Iterable[str]) -> Iterator[str]:
    """What a plan has that it must not have: any change on a healthy guest, else one to a service that is innocent."""
    if truth.healthy:
        for plan in plans(operator, runbooks):
            yield from _changes(plan.runbook, [step.id for step in plan.changes])
    elif truth.targets is not None:
        for plan in plans(operator, [incident["runbook"] for incident in host["incidents"]]):
            for step in plan.changes:
                touched = f"{step.change.target} ({step.change.summary})" if step.change else ""
                if step.action in TOUCHING and not any(name in touched for name in truth.targets):
                    yield f"{plan.runbook} would {step.action} {touched}"


def plans(operator: Operator, runbooks: Iterable[str]) -> Iterator[Plan]:
    """The plan of each runbook, all from one reading; LabError where there is none."""
    address = operator.guest.address
    library = Library(services=operator.folder / "services.yaml")
    reach = Reach(identities=(address.identity,), known_hosts=(address.known_hosts,), patience=120.0)
    [reached] = read(
        ReadArguments(
            hosts=[Host("127.0.0.1", "root", address.port)],
            facts=lambda: set(catalog.facts()),
            sampling=Sampling(),
            connectors=Connectors(reach),
            policy=library.policy(),
        )
    )
    if reached.snapshot is None:
        message = f"no plan: {reached.error}"
        raise LabError(message)
    for name in runbooks:
        yield make_plan(library.runbook(name), reached.snapshot)


def test_every_runbook_plans_nothing_on_an_idle_host(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    operator, runbooks = Operator(guest_in(IDLE), tmp_path), list(subsumed())
    with ThreadPoolExecutor(LOGINS_AT_ONCE) as threads:
        plans = list(threads.map(lambda name: operator("plan", name, "--json"), runbooks))
    wrong = [f"plan {name}: {plan.err}" for name, plan in zip(runbooks, plans, strict=True) if plan.status != 0]
    for name, plan in zip(runbooks, plans, strict=True):
        steps = plan.document["hosts"][0]["steps"]
        wrong += _changes(name, [step["id"] for step in steps if step["decision"] == "change"])
    assert not wrong


def _changes(runbook: str, steps: list[str]) -> Iterator[str]:
    if steps:
        yield f"{runbook} would change a healthy guest: {', '.join(steps)}"
