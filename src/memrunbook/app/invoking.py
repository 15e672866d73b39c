"""What is written down first of a run: who asked for what, why, on which hosts."""

from __future__ import annotations

from memrunbook.app.run_arguments import RunArguments
from memrunbook.app.saving import named
from memrunbook.core.run.record import Invoked, Order, plain
from memrunbook.core.runbook.bound import Runbook
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact, without_values
from memrunbook.state.kept_approvals import keep_plan
from memrunbook.state.run_directory import RunDirectory
from memrunbook.version import __version__


def begin(directory: RunDirectory, arguments: RunArguments, invoked: Invoked) -> None:
    """Writes that down; first the plan that the run carries out, so that what is approved of it can be verified."""
    if arguments.applied is not None:
        keep_plan(directory.path, arguments.plan)
    directory.run.append(plain(invoked))


def invoked_by(arguments: RunArguments, runbook: Runbook, clock: SystemClock) -> Invoked:
    """The first record of a run's own journal; what is secret in it is left out."""
    return Invoked(
        time=clock.now().isoformat(),
        engine=__version__,
        actor=arguments.actor,
        command=redact(arguments.command),
        reason=redact(arguments.reason),
        runbook=runbook.name,
        runbook_digest=runbook.digest,
        origin=runbook.origin,
        parameters=without_values(runbook.parameters),
        hosts=tuple(host.name for host in arguments.hosts),
        applied=arguments.applied,
        asked=arguments.asked,
        parts=dict(arguments.parts),
        part_of=arguments.part_of,
        order=Order(
            runbook=named(arguments.runbook),
            hosts=arguments.hosts,
            parameters=without_values(arguments.parameters),
            watch=arguments.watch,
            options=tuple(redact(word) for word in arguments.options),
            rollout=arguments.rollout,
        ),
    )
