"""Runs a runbook on hosts: one journal each, one gate at a time, one report each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from memrunbook.app.gates import OneAtATime
from memrunbook.app.handling import handled_by_all
from memrunbook.app.invoking import begin, invoked_by
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.placing import part_ids, placed
from memrunbook.app.reading import refuse_twins
from memrunbook.app.rolling import write_names
from memrunbook.app.ruling import demand_reason, risk_of
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.sealing import to_its_end
from memrunbook.app.sites import refuse_kept_here
from memrunbook.app.stored import Stored, settings_of
from memrunbook.app.tuning import tuned
from memrunbook.app.under_way import Running
from memrunbook.app.witnessing import new_run
from memrunbook.core.host import Host
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver
from memrunbook.state.left_open import abandoned, left_open
from memrunbook.state.paths import prepare
from memrunbook.state.runs import runs


def run(
    arguments: RunArguments,
    approver: Approver,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> RunResult:
    """Carries out a runbook: each change behind a gate that `approver` answers, proven, undone where it did not help.

    UsageError or DocumentError for what cannot be asked, JournalError where the journal cannot be written. `stop` ends
    the run after what is under way.
    """
    policy = arguments.library.policy()  # a mistake in it is told before any host is asked
    config = settings_of(arguments.library)
    refuse_twins(arguments.hosts)
    runbook = arguments.library.runbook(arguments.runbook, arguments.parameters)
    hosts, own = tuned(arguments.library, arguments.runbook, runbook, arguments.parameters, arguments.hosts)
    arguments = replace(arguments, hosts=hosts, parts=_parts(arguments, hosts))
    demand_reason(config, arguments.reason, risk_of(runbook), arguments.command)
    arguments.connectors.check(arguments.hosts)
    write_names(arguments.rollout.checked().retry_file, arguments.hosts)
    clock = SystemClock(stop := stop or threading.Event())
    known, stored = runs(state := prepare(arguments.state)), Stored(state, config, arguments.store)
    jobs = stored.jobs() if arguments.distribute else None
    with closing(stored.open()) as store, new_run(stored, store, notice, clock) as directory:
        begin(directory, arguments, invoked := invoked_by(arguments, runbook, clock))
        running = Running(
            arguments=arguments,
            runbook=runbook,
            policy=policy,
            config=config,
            directory=directory,
            approver=OneAtATime(approver, stop),
            notice=notice,
            stop=stop,
            handled=handled_by_all(state, known, store).get(runbook.name, {}),
            left=(left := left_open(state, known)),
            abandoned=abandoned(known, left) if arguments.unblocks else frozenset(),
            store=store,
            own=own,
        )
        return to_its_end(running if jobs is None else placed(running, invoked, jobs), arguments.hosts)


def _parts(arguments: RunArguments, hosts: Sequence[Host]) -> dict[str, str]:
    """By host the run that a worker carries it out by; none where it is done here. UsageError for what none can do."""
    if not arguments.distribute:
        return {}
    refuse_kept_here(arguments.runbook, arguments.parameters)
    return part_ids(hosts)
