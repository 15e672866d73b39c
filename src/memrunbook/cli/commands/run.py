"""runbook run: the plan, then step by step behind its gates."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import HOSTS, LIBRARY, OUTPUT, PARAMETERS, STATE, WATCH, Settings, common
from memrunbook.cli.output import stream
from memrunbook.cli.streams import tell, while_heard
from memrunbook.cli.wiring import Wiring, actor, interactive, state_path

if TYPE_CHECKING:
    from memrunbook.core.instant import Instant
    from memrunbook.core.run.report import HostReport
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.runtime.ports import Approver
    from memrunbook.state.run_directory import RunDirectory
    from memrunbook.ui.block import Block

LEFT = """Left at once: what was under way may be unfinished.
  hint: runbook report {} shows how far each host came; look at the host before anything is repeated
"""


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Answer the gates of low risk with yes; never more than those.")
@click.option("--allow", multiple=True, metavar="ACTION[:TARGET]", help="Consent to exactly this; repeatable.")
@click.option("--dry-run", is_flag=True, help="The same as: runbook plan.")
@click.option("--reason", default="", metavar="TEXT", help="Why this is done; kept in the journal.")
@click.option("--break-lock", is_flag=True, help="Take over the host's lock; a shell that still holds it is ended.")
@common(HOSTS, WATCH, PARAMETERS, LIBRARY, STATE, OUTPUT)
def command(settings: Settings, name: str, **options: Any) -> int:
    """Carry out RUNBOOK on hosts: each change behind a gate, proven, and taken back where it did not help."""
    if options["dry_run"]:
        from memrunbook.cli.commands.plan import make_plans

        return make_plans(settings, name, None, exit_code=False)
    stop = threading.Event()
    wiring = Wiring(settings, stop)
    _ = wiring.hosts, wiring.policy
    runbook = wiring.runbook(name)
    from memrunbook.cli.interrupts import finish_then_stop

    with finish_then_stop(stop):
        return _run(wiring, runbook, {**options, "name": name})


def _run(wiring: Wiring, runbook: Runbook, options: dict[str, Any]) -> int:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.state.run_directory import RunDirectory, new_run_id

    clock = SystemClock()
    state = state_path(wiring.settings, make=True)
    with RunDirectory.create(state, new_run_id(clock.now()), clock.now) as directory:
        directory.run.append(_invocation(wiring, runbook, options))
        try:
            reports = _running(wiring, runbook, directory, options)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(LEFT.format(directory.run_id)) from None
        directory.run.append(_ended(clock.now(), reports))
        directory.end()
        saved = _save_refused(directory, reports)
    code = exit_codes.worst(exit_codes.of_report(report) for report in reports)
    return tell(code, lambda: _tell(wiring.settings, options["name"], directory.run_id, reports, saved))


def _ended(now: Instant, reports: list[HostReport]) -> dict[str, Any]:
    hosts = [
        {
            "host": report.host,
            "outcome": report.outcome,
            "machine_id": report.begun.plan.identity.machine_id if report.begun else "",
        }
        for report in reports
    ]
    return {"event": "ended", "time": now.isoformat(), "hosts": hosts}


def _invocation(wiring: Wiring, runbook: Runbook, options: dict[str, Any]) -> dict[str, Any]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.runtime.redaction import redact
    from memrunbook.version import __version__

    return {
        "event": "invoked",
        "time": SystemClock().now().isoformat(),
        "engine": __version__,
        "actor": dict(actor()),
        "command": redact(" ".join(sys.argv[1:])),
        "reason": options["reason"],
        "runbook": runbook.name,
        "runbook_digest": runbook.digest,
        "origin": runbook.origin,
        "parameters": {name: str(value) for name, value in runbook.parameters.items()},
        "hosts": [host.name for host in wiring.hosts],
    }


def _running(wiring: Wiring, runbook: Runbook, directory: RunDirectory, options: dict[str, Any]) -> list[HostReport]:
    from memrunbook.cli.running import OneAtATime, Running
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.state.handled import handled
    from memrunbook.ui.progress import ProgressDisplay
    from memrunbook.ui.screen import Screen

    settings = wiring.settings
    clock = SystemClock(wiring.stop)
    progress = ProgressDisplay(Screen(settings.color, sys.stderr), clock.now)
    running = Running(
        wiring=wiring,
        runbook=runbook,
        directory=directory,
        approver=OneAtATime(_approver(wiring, options), threading.Lock(), progress.paused),
        actor=actor(),
        watch=_unwatched if settings.json else while_heard(progress.asked),
        handled=handled(directory.path.parents[1], runbook.name),
        break_lock=options["break_lock"],
        copy=while_heard(stream) if settings.json else None,
    )
    while_heard(progress.__enter__)()
    try:
        return running.run()
    finally:
        while_heard(progress.__exit__)(None, None, None)


def _unwatched(_host: str, _request: object) -> None:
    """With --json the records themselves are what is told."""


def _approver(wiring: Wiring, options: dict[str, Any]) -> Approver:
    from memrunbook.cli.keyboard import Keyboard, Unhurried
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.approve import ConsentThenAsk, TerminalApprover, UnattendedApprover
    from memrunbook.ui.screen import Screen

    now = SystemClock(wiring.stop).now
    who = actor()["user"]
    consent = UnattendedApprover(options["yes"], tuple(options["allow"]), now, who)
    if not interactive(wiring.settings):
        return consent
    hosts = tuple(host.name for host in wiring.hosts)
    keyboard = Keyboard(wiring.stop)
    terminal = TerminalApprover(Screen(wiring.settings.color, sys.stderr), keyboard.read, now, who, hosts)
    return ConsentThenAsk(consent, Unhurried(terminal, keyboard))


def _tell(settings: Settings, name: str, run_id: str, reports: list[HostReport], saved: dict[str, Path]) -> None:
    from memrunbook.documents.machine import reported_host

    if settings.json:
        hosts = [reported_host(report) for report in reports]
        stream({"format": "memrunbook.run/1", "event": "summary", "run": run_id, "hosts": hosts})
        return
    from memrunbook.ui.report import report_view, summary_view
    from memrunbook.ui.screen import Screen

    screen = Screen(settings.color)
    for report in reports:
        screen.show([*report_view(report, run_id), *_next(name, report, saved)])
    if len(reports) > 1:
        screen.show(summary_view(reports))


def _next(name: str, report: HostReport, saved: dict[str, Path]) -> list[Block]:
    """How to allow what a gate refused."""
    from memrunbook.cli.next_command import run_command
    from memrunbook.ui.block import Span, line

    consents = [word for consent in _consents(report) for word in ("--allow", consent)]
    if not consents:
        return []
    command_line = run_command(sys.argv, name, report.host, *consents)
    return [
        line("To allow it:  ", Span(command_line, "hint", whole=True)),
        line("The plan is saved in ", Span(str(saved[report.host]), whole=True)),
    ]


def _consents(report: HostReport) -> list[str]:
    """What `--allow` would have to say for the steps that a gate refused."""
    planned = {(step.id, step.item): step.change for step in report.begun.plan.steps} if report.begun else {}
    refused = [planned.get((step.id, step.item)) for step in report.steps if step.state == "refused"]
    return [f"{change.action}:{change.target}" for change in refused if change is not None]


def _save_refused(directory: RunDirectory, reports: list[HostReport]) -> dict[str, Path]:
    """The plans of the hosts where a gate refused, in their final format."""
    from memrunbook.state.names import file_name
    from memrunbook.state.plans import save_plans

    saved = {}
    for report in reports:
        if report.begun is not None and _consents(report):
            saved[report.host] = directory.path / f"plan-{file_name(report.host)}.json"
            save_plans(saved[report.host], [report.begun.plan], actor()["user"])
    return saved
