"""runbook audit: is the journal intact, and what does it say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OUTPUT, STATE, Settings, common
from memrunbook.cli.output import emit, stream
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import state_path
from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from memrunbook.state.audit import AuditFinding


@click.group()
def command() -> None:
    """Verify the journal, or show the records of a run."""


@command.command()
@click.option("--expect", default="", metavar="HEAD", help="A head of the ledger that was kept elsewhere.")
@common(STATE, OUTPUT)
def verify(settings: Settings, expect: str, **_: Any) -> int:
    """Check every journal and the ledger: changed, removed, inserted or reordered records, removed runs."""
    from memrunbook.state.audit import verify as verify_state

    state = state_path(settings)
    if not state.is_dir():
        raise UsageError("there is no journal", where=str(state), hint="--state-dir names another place")
    findings = verify_state(state, expect)
    broken = any(finding.level == "error" for finding in findings)
    head = _head(state)
    code = exit_codes.JOURNAL if broken else exit_codes.OK
    if settings.json:
        return tell(code, lambda: emit("audit", {"intact": not broken, "head": head, "findings": findings}))
    return tell(code, lambda: _draw(settings, state, findings, "" if broken else head))


def _draw(settings: Settings, state: Path, findings: list[AuditFinding], head: str) -> None:
    from memrunbook.ui.audit import audit_view
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.screen import Screen

    kept = line("Keep this elsewhere, and check with --expect: ", Span(head, whole=True))
    Screen(settings.color).show([*audit_view(findings, str(state)), *([kept] if head else [])])


def _head(state: Path) -> str:
    """The hash of the ledger's last entry."""
    from memrunbook.state.ledger import read

    entries = read(state)
    return entries[-1].hash if entries else ""


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
