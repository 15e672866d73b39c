"""runbook plan: a dry run; real checks, real decisions, nothing changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import HOSTS, LIBRARY, OUTPUT, PARAMETERS, REPLAY, STATE, WATCH, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import Reached, Wiring

if TYPE_CHECKING:
    from memrunbook.core.plan.diagnosis import RunbookDiagnosis
    from memrunbook.core.plan.plan import Plan
    from memrunbook.core.runbook.bound import Runbook

    Planned = tuple[Reached, RunbookDiagnosis | None, Plan | None]


@click.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file.")
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with 8 when there are steps to run.")
@common(HOSTS, REPLAY, WATCH, PARAMETERS, LIBRARY, STATE, OUTPUT)
def command(settings: Settings, name: str, out: Path | None, **options: Any) -> int:
    """Show what RUNBOOK would do on a host, and why. Nothing is changed."""
    return make_plans(settings, name, out, exit_code=options["exit_code"])


def make_plans(settings: Settings, name: str, out: Path | None, *, exit_code: bool) -> int:
    """Plans on every host, draws or prints the plans; the exit code."""
    from memrunbook.core.plan.diagnosis import diagnose_one
    from memrunbook.core.plan.planner import make_plan

    wiring = Wiring(settings)
    _ = wiring.hosts, wiring.policy
    runbook = wiring.runbook(name)
    sample = runbook.spec.sample
    found: list[Planned] = []
    for one in wiring.read(lambda: runbook.facts, *settings.sampling(sample.count, sample.every)):
        if one.snapshot is None:
            found.append((one, None, None))
        else:
            snapshot = wiring.seen(one.snapshot, [runbook.name])[runbook.name]
            found.append((one, diagnose_one(runbook, snapshot), make_plan(runbook, snapshot)))
    if out is not None:
        from memrunbook.state.plans import save_plans

        save_plans(out, [plan for _, _, plan in found if plan is not None])
    code = exit_codes.worst(_code(planned, exit_code=exit_code) for planned in found)
    if settings.json:
        document = {"runbook": runbook.name, "hosts": [_machine(runbook, planned) for planned in found]}
        return tell(code, lambda: emit("plan", document))
    return tell(code, lambda: _draw(settings, name, found, out))


def _code(planned: Planned, *, exit_code: bool) -> int:
    one, _, plan = planned
    if one.error is not None:
        return exit_codes.of_error(one.error)
    return exit_codes.INCIDENT if exit_code and plan is not None and plan.changes else exit_codes.OK


def _machine(runbook: Runbook, planned: Planned) -> object:
    from memrunbook.documents.machine import MachineHost, planned_host

    one, diagnosis, plan = planned
    if one.snapshot is None or diagnosis is None or plan is None:
        return MachineHost(host=one.host, outcome="unreachable", error=str(one.error))
    return planned_host(runbook, diagnosis, plan, one.snapshot)


def _draw(settings: Settings, name: str, found: list[Planned], out: Path | None) -> None:
    from memrunbook.cli.next_command import run_command
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.plan import plan_view
    from memrunbook.ui.screen import Screen

    screen = Screen(settings.color)
    saved = str(out) if out else ""
    for one, diagnosis, plan in found:
        if one.snapshot is None or diagnosis is None or plan is None:
            screen.show(error_view(one.error, one.host))
        else:
            command_line = run_command(sys.argv, name, one.host)
            screen.show(plan_view(diagnosis, plan, one.snapshot, command_line, SystemClock().now(), saved=saved))
