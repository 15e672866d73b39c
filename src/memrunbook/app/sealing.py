"""Brings a run to its end on its hosts, writes down how each of them ended, and seals it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from memrunbook.app.ending import end_of, ended_host, save_refused
from memrunbook.app.leaving import left_at_once, not_written
from memrunbook.app.rolling import those_left
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.sharing_plans import share_saved
from memrunbook.app.stored import Stored
from memrunbook.app.under_way import Running
from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.plan.plan import Plan
from memrunbook.core.run.record import Ended, plain
from memrunbook.core.run.report import HostReport
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.names import file_name
from memrunbook.state.waiting import plan_path

EARLIER = "before the run went on: "


def to_its_end(running: Running, hosts: Sequence[Host], ended: Sequence[HostReport] = ()) -> RunResult:
    """Runs these hosts and writes down how all ended, `ended` before among them; the directory is sealed and closed.

    JournalError where the journal fails: then the run has no end, and can be gone on with.
    """
    arguments, failures = running.arguments, running.rolling.failures
    for report in ended:
        failures.count(report)
        outcome, why = end_of(report)
        running.notice.ended(report.host, outcome, f"{EARLIER}{why}")
    retry_file = arguments.rollout.retry_file
    with closing(running.recall), those_left(retry_file, arguments.hosts, failures.ended) as left:
        result = _sealed(running, hosts, ended)
    stored = Stored(arguments.state, running.config, arguments.store)
    running.remembering.write(stored, running.notice)
    share_saved(result.saved, stored, running.notice)
    untold: tuple[str, ...] = ()
    if running.config.notify and not arguments.waits and not arguments.part_of:  # a schedule tells in its own words
        from memrunbook.app.notifying import tell_of_run

        untold = tell_of_run(result, running.runbook.name, arguments)
    return replace(result, unwritten=left.error, untold=untold)


def _sealed(running: Running, hosts: Sequence[Host], ended: Sequence[HostReport]) -> RunResult:
    directory, order = running.directory, {host.name: place for place, host in enumerate(running.arguments.hosts)}
    try:
        reports = sorted([*ended, *running.run(hosts)], key=lambda report: order[report.host])
        finished = tuple(ended_host(report, directory.run_id) for report in reports)
        unused, stopped, now = running.arguments.consents.unused, running.rolling.stopped, SystemClock().now()
        directory.run.append(plain(Ended(time=now.isoformat(), hosts=finished, unused=unused, stopped=stopped)))
        directory.end()
    except KeyboardInterrupt:
        flight, state = running.in_flight(), running.arguments.state
        raise left_at_once(state, directory.run_id, flight, workers=running.with_workers) from None
    except JournalError as error:
        raise not_written(error, directory.run_id, running.in_flight()) from None
    place = partial(_place, directory.path, running.arguments)
    saved = save_refused(place, reports, running.arguments) if running.keeps_refused() else {}
    return RunResult(directory.run_id, tuple(reports), saved, unused, stopped=stopped, alone=running.rolling.alone)


def _place(folder: Path, arguments: RunArguments, plan: Plan) -> Path:
    """Where the plan of a host is saved: with the run, or in place of that of the run before."""
    if arguments.kept_as:
        return plan_path(arguments.state, arguments.kept_as, plan.host, plan.identity)
    return folder / f"plan-{file_name(plan.host)}.json"
