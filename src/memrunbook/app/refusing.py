"""Puts on record that a saved plan was refused before any host was entered."""

from __future__ import annotations

from dataclasses import dataclass, replace

from memrunbook.app.invoking import begin
from memrunbook.app.journaling import HostJournal
from memrunbook.app.notice import Notice
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.stored import settings_of
from memrunbook.core.errors import Refused
from memrunbook.core.plan.saved import Difference, SavedPlan
from memrunbook.core.run.event import Event, Outdated, RunFinished
from memrunbook.core.run.record import Ended, EndedHost, Invoked, Recorded, plain
from memrunbook.core.run.report import fold
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.paths import prepare
from memrunbook.state.run_directory import RunDirectory, new_run_id
from memrunbook.version import __version__

ORIGIN = "a saved plan"


@dataclass(frozen=True)
class _Runbook:
    name: str
    digest: str


def record_refusal(
    asked: RunArguments, saved: SavedPlan, refused: Refused, difference: Difference | None, notice: Notice
) -> RunResult:
    """A run that ends as refused on every host of the plan; JournalError where that cannot be written."""
    clock = SystemClock()
    events: list[Event] = [Outdated(*difference)] if difference else []
    events.append(RunFinished("refused", str(refused), hint=refused.hint))
    config = settings_of(asked.library)
    with RunDirectory.create(prepare(asked.state), new_run_id(clock.now()), clock.now) as directory:
        begin(directory, asked, _invoked(asked, saved, clock))
        for host, plan in zip(saved.hosts, saved.plans, strict=True):
            runbook = _Runbook(plan.runbook, plan.runbook_digest)
            file = directory.host(host.name)
            journal = HostJournal(directory, file, host.name, runbook, asked.actor, clock, notice.recorded)
            for event in events:
                journal.append(Recorded(event))
        ended = tuple(EndedHost(host.name, "refused") for host in saved.hosts)
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=ended)))
        directory.end()
    result = RunResult(directory.run_id, tuple(fold(host.name, events) for host in saved.hosts))
    if not config.notify:
        return result
    from memrunbook.app.notifying import tell_of_run

    name = saved.plans[0].runbook if saved.plans else saved.runbook
    return replace(result, untold=tell_of_run(result, name, asked))


def _invoked(asked: RunArguments, saved: SavedPlan, clock: SystemClock) -> Invoked:
    return Invoked(
        time=clock.now().isoformat(),
        engine=__version__,
        actor=asked.actor,
        command=redact(asked.command),
        reason=redact(asked.reason),
        runbook=saved.plans[0].runbook if saved.plans else saved.runbook,
        runbook_digest=saved.plans[0].runbook_digest if saved.plans else "",
        origin=ORIGIN,
        parameters=saved.parameters,
        hosts=tuple(host.name for host in asked.hosts),
        applied=asked.applied,
        asked=asked.asked,
    )
