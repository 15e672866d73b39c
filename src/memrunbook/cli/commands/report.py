"""runbook report: what one run did, from its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from memrunbook.cli.options import OUTPUT, STATE, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.wiring import state_path
from memrunbook.core.errors import JournalError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from memrunbook.core.run.report import HostReport


@click.command()
@click.argument("run", metavar="RUN")
@common(STATE, OUTPUT)
def command(settings: Settings, run: str, **_: Any) -> int:
    """Show what a run did on each host and why; RUN is its id, or: last."""
    state = state_path(settings)
    run_id, reports = load_reports(state, run)
    if settings.json:
        from memrunbook.documents.machine import reported_host

        return emit("report", {"run": run_id, "hosts": [reported_host(report) for report in reports]})
    from memrunbook.ui.report import report_view
    from memrunbook.ui.screen import Screen

    screen = Screen(settings.color)
    for report in reports:
        screen.show(report_view(report, run_id))
    return 0


def load_reports(state: Path, run: str) -> tuple[str, list[HostReport]]:
    """A run's id and the report of each of its hosts; UsageError where there is no such run."""
    from memrunbook.core.run.report import fold
    from memrunbook.state.runs import records, runs

    known = {found.run_id: found for found in runs(state)}
    if not known:
        raise UsageError("there are no runs yet", where=str(state), hint="--state-dir names another place")
    run_id = next(iter(known)) if run == "last" else run
    if run_id not in known:
        raise UsageError(f"there is no run {run!r} in {state}", hint="runbook runs lists them")
    reports = []
    for host in known[run_id].hosts:
        told = [record["record"] for record in records(state, run_id, host) if record.get("event") == "recorded"]
        reports.append(fold(host, [_event(record) for record in told], running=known[run_id].state == "running"))
    return run_id, reports


def _event(record: object) -> Any:
    from memrunbook.core.run.record import Event

    try:
        return msgspec.convert(record, Event, strict=False)
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the journal holds an event that this version cannot read: {error}",
            hint="runbook audit verify says whether the journal is intact",
        ) from None
