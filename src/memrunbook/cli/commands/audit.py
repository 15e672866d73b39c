"""runbook audit: is the journal intact, and what does it say."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OUTPUT, STATE, Settings, common
from memrunbook.cli.output import emit, stream
from memrunbook.cli.wiring import state_path
from memrunbook.core.errors import UsageError


@click.group()
def command() -> None:
    """Verify the journal, or show the records of a run."""


@command.command()
@common(STATE, OUTPUT)
def verify(settings: Settings, **_: Any) -> int:
    """Check every journal and the ledger: changed, removed, inserted or reordered records, removed runs."""
    from memrunbook.state.audit import verify as verify_state

    state = state_path(settings)
    if not state.is_dir():
        raise UsageError("there is no journal", where=str(state), hint="--state-dir names another place")
    findings = verify_state(state)
    broken = any(finding.level == "error" for finding in findings)
    if settings.json:
        emit("audit", {"intact": not broken, "findings": findings})
    else:
        from memrunbook.ui.audit import audit_view
        from memrunbook.ui.screen import Screen

        Screen(settings.color).show(audit_view(findings, str(state)))
    return exit_codes.JOURNAL if broken else exit_codes.OK


@command.command()
@click.argument("run", metavar="RUN")
@click.option("--host", help="Only this host's journal.")
@common(STATE, OUTPUT)
def show(settings: Settings, run: str, host: str | None = None, **_: Any) -> int:
    """Print the records of a run as JSON lines, in their order."""
    from memrunbook.state.runs import records, runs

    state = state_path(settings)
    known = {found.run_id: found for found in runs(state)}
    if run not in known:
        raise UsageError(f"there is no run {run!r} in {state}", hint="runbook runs lists them")
    for one in (None, *known[run].hosts) if host is None else (host,):
        for record in records(state, run, one):
            stream(record)
    return 0
