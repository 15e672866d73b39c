"""runbook diagnose: what is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import HOSTS, LIBRARY, OUTPUT, REPLAY, STATE, WATCH, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import Reached, Wiring

if TYPE_CHECKING:
    from memrunbook.core.plan.diagnosis import Diagnosis

COUNT, EVERY = 3, 5.0


@click.command()
@common(HOSTS, REPLAY, WATCH, LIBRARY, STATE, OUTPUT)
def command(settings: Settings, **_options: Any) -> int:
    """Read hosts and judge them by all runbooks. Nothing is changed."""
    wiring = Wiring(settings)
    _ = wiring.hosts
    # The runbooks are loaded, and the view with them, in the first wait between two samples.
    reached = wiring.read(_every_fact, *settings.sampling(COUNT, EVERY), lambda: _prepare(wiring))
    from memrunbook.core.plan.diagnosis import diagnose

    runbooks, problems = wiring.runbooks
    if problems:
        from memrunbook.ui.problems import left_out_view
        from memrunbook.ui.screen import Screen

        Screen(settings.color, sys.stderr).show(left_out_view(problems))
    seen = [wiring.seen(one.snapshot, [runbook.name for runbook in runbooks]) for one in reached]
    found = [
        (one, diagnose(runbooks, one.snapshot, views) if one.snapshot else None)
        for one, views in zip(reached, seen, strict=True)
    ]
    code = exit_codes.worst(_code(one, diagnosis) for one, diagnosis in found)
    if code == exit_codes.OK and problems:
        code = exit_codes.USAGE  # not all was judged: that is no "OK"
    if settings.json:
        return tell(code, lambda: emit("diagnose", {"hosts": [_machine(one, diagnosis) for one, diagnosis in found]}))
    return tell(code, lambda: _draw(settings, found))


def _every_fact() -> set[str]:
    from memrunbook import catalog

    return set(catalog.facts())


def _prepare(wiring: Wiring) -> None:
    import memrunbook.core.plan.diagnosis
    import memrunbook.ui.diagnosis
    import memrunbook.ui.screen  # noqa: F401  loaded now, used when the last sample is there

    _ = wiring.runbooks, wiring.policy


def _code(one: Reached, diagnosis: Diagnosis | None) -> int:
    if one.error is not None:
        return exit_codes.of_error(one.error)
    return exit_codes.INCIDENT if diagnosis is not None and diagnosis.primary else exit_codes.OK


def _machine(one: Reached, diagnosis: Diagnosis | None) -> object:
    from memrunbook.documents.machine import MachineHost, diagnosed_host

    if one.snapshot is None or diagnosis is None:
        return MachineHost(host=one.host, outcome="unreachable", error=str(one.error))
    return diagnosed_host(diagnosis, one.snapshot)


def _draw(settings: Settings, found: list[tuple[Reached, Diagnosis | None]]) -> None:
    from memrunbook.cli.next_command import reach
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.diagnosis import diagnosis_view
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.screen import Screen

    screen = Screen(settings.color)
    for one, diagnosis in found:
        if one.snapshot is None or diagnosis is None:
            screen.show(error_view(one.error, one.host))
        else:
            options = reach(sys.argv, one.host)
            screen.show(diagnosis_view(diagnosis, one.snapshot, options, SystemClock().now(), verbose=settings.verbose))
