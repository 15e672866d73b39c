"""Every scenario against every runbook: recognised by its own, with the right cause, by no wrong one, and treated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
    truth, said, wrong = named(name).truth, Said(), []
    try:
        guest = guest_in(name, configuration)
        case = Case(name, guest, Operator(guest, tmp_path), record_property)
        said = diagnosed(case, truth)
        wrong = [*faults(truth, said.host, subsumed()), *untold(truth, said.text), *planned(truth, said)]
    except LabError as failure:
        wrong = [f"not tried: {failure}"]
    warned = tuple(warnings(truth, said.host))
    row = Row(name, configuration.name, truth.runbook, cells(said.host), tuple(wrong), warned)
    record_property(PROPERTY, row.dumped())
    assert not row.wrong, "\n".join(row.wrong)
    if treatment := TREATMENTS.get((name, configuration.name)):
        treatment(case)


@dataclass(frozen=True)
class Said:
    """What was said of a guest: `diagnose --json` and `diagnose` of the host, and each runbook's plan."""

    host: Mapping[str, Any] = field(default_factory=lambda: {"incidents": [], "findings": []})
    text: str = ""
    plans: tuple[Plan, ...] = ()


def diagnosed(case: Case, truth: Truth) -> Said:
    """All of it at the same time, as each takes a sample; LabError where the guest could not be judged."""
    watch = ["--watch", truth.watch] if truth.watch else []
    with ThreadPoolExecutor(LOGINS_AT_ONCE) as threads:
        judging = threads.submit(case.operator, "diagnose", "--json", *watch)
        telling = threads.submit(case.operator, "diagnose", *watch) if truth.says else None
        planning = threads.submit(plans, case, truth) if truth.healthy or truth.targets is not None else None
    ended = judging.result()
    if ended.status not in JUDGED:
        message = f"diagnose ended with {ended.status}: {ended.err or ended.out}"
        raise LabError(message)
    text, made = telling.result().out if telling else "", planning.result() if planning else ()
    return Said(ended.document["hosts"][0], text, made)


def planned(truth: Truth, said: Said) -> Iterator[str]:
    """What a plan has that it must not have: any change on a healthy guest, else one to somebody who is innocent."""
    applies = {incident["runbook"] for incident in said.host["incidents"]}
    for plan in said.plans:
        if truth.healthy:
            yield from _changes(plan.runbook, [step.id for step in plan.changes])
        elif plan.runbook in applies:
            yield from _touched(plan, truth.targets or ())


def _touched(plan: Plan, targets: Sequence[str]) -> Iterator[str]:
    for step in plan.changes:
        touched = f"{step.change.target}: {step.change.summary}" if step.change else step.item
        if step.action in TOUCHING and not any(name in touched for name in targets):
            yield f"{plan.runbook} would touch somebody innocent: {step.action} {touched}"


def plans(case: Case, truth: Truth) -> tuple[Plan, ...]:
    """The plan of each runbook, all from one reading; LabError where there is none.

    Where the truth names targets, the policy permits to touch every service of the scenario.
    """
    address = case.guest.address
    library = Library(services=case.operator.folder / "services.yaml")
    if truth.targets is not None:
        library = Library(services=permitting(case))
    reach = Reach(identities=(address.identity,), known_hosts=(address.known_hosts,), patience=120.0)
    [reached] = read(
        ReadArguments(
            hosts=[Host("127.0.0.1", "root", address.port)],
            facts=lambda: set(catalog.facts()),
            sampling=Sampling(),
            connectors=Connectors(reach),
            policy=library.policy(),
        ),
        lambda reached: reached,
    )
    if reached.snapshot is None:
        message = f"no plan: {reached.error}"
        raise LabError(message)
    return tuple(make_plan(library.runbook(name), reached.snapshot) for name in subsumed())


def permitting(case: Case) -> Path:
    """A policy, beside the operator's own, by which every service of the scenario may be touched; none without any."""
    folder = case.operator.folder / "permitting"
    folder.mkdir()
    units = case.guest.check("cd /etc/systemd/system && find . -name '*.service' -type f -printf '%P\\n'").split()
    rules = (f"unit: {unit}, freeze: yes, stop: yes, restart: yes" for unit in units)
    if units:
        replace(case, operator=replace(case.operator, folder=folder)).policy(*rules)
    return folder / "services.yaml"


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
