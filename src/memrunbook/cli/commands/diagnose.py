"""runbook diagnose: what is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import HOSTS, LIBRARY, OUTPUT, REPLAY, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import Reached, Wiring

if TYPE_CHECKING:
    from memrunbook.core.bound import Runbook
    from memrunbook.core.diagnosis import Diagnosis

COUNT, EVERY = 3, 5.0


@click.command()
@common(HOSTS, REPLAY, LIBRARY, OUTPUT)
def command(settings: Settings, **_options: Any) -> int:
    """Read hosts once and judge them by all runbooks. Nothing is changed."""
    wiring = Wiring(settings)
    _ = wiring.hosts
    with ThreadPoolExecutor(1) as pool:
        # The runbooks are loaded while the first answers are on their way.
        loading: Future[list[Runbook]] = pool.submit(wiring.runbooks)
        reached = wiring.read(lambda: _every_fact(loading), COUNT, EVERY)
        runbooks = loading.result()
    from memrunbook.core.diagnosis import diagnose

    found = [(one, diagnose(runbooks, one.snapshot) if one.snapshot else None) for one in reached]
    code = exit_codes.worst(_code(one, diagnosis) for one, diagnosis in found)
    if settings.json:
        return tell(code, lambda: emit("diagnose", {"hosts": [_machine(one, diagnosis) for one, diagnosis in found]}))
    return tell(code, lambda: _draw(settings, found))


def _every_fact(loading: Future[list[Runbook]]) -> set[str]:
    """All facts, once the runbooks are known to be good: a bad one is not found out only after the long read."""
    from memrunbook import catalog

    loading.result()
    return set(catalog.facts())


def _code(one: Reached, diagnosis: Diagnosis | None) -> int:
    if one.error is not None:
        return exit_codes.of_error(one.error)
    return exit_codes.INCIDENT if diagnosis is not None and diagnosis.primary else exit_codes.OK


def _machine(one: Reached, diagnosis: Diagnosis | None) -> object:
    from memrunbook.core.machine import MachineHost, diagnosed_host

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
