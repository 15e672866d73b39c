"""Follows a run again that workers carry out, after whoever had ordered it was cut off, left it, or had it stopped."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.app.placing import PlacedRunning, placed
from memrunbook.app.run_arguments import RunResult
from memrunbook.app.sealing import to_its_end
from memrunbook.app.under_way import Running
from memrunbook.core.errors import Refused
from memrunbook.core.host import Host
from memrunbook.core.run.record import Invoked
from memrunbook.core.run.report import HostReport, is_left_unended
from memrunbook.runtime.jobs import Jobs


def attach(running: Running, invoked: Invoked, jobs: Jobs, hosts: Sequence[Host]) -> RunResult:
    """Brings such a run to its end: parts that have ended are reported so, the others are followed, or queued again.

    A part that was stopped or lost, or whose gate nobody was there to answer, is gone on with by whichever worker takes
    it. Refused where the store does not know the run any more; JournalError where it does not answer.
    """
    run = placed(running, invoked, jobs)
    known = {one.id: one for one in run.orders.look(run.directory.run_id)}
    if run.heard.was_placed and not known:
        what = f"run {run.directory.run_id} is not in {run.store.name} any more"
        hint = "name the store that it was ordered in (--store); runbook report says which node has which journal"
        raise Refused(f"{what}: how far its parts came is known to the nodes alone that did them", hint=hint)
    run.following.part("")
    ended: list[HostReport] = []
    again: list[str] = []
    for host in hosts:
        part = run.arguments.parts[host.name]
        report = _caught_up(run, host, part)
        if (seen := known.get(part)) is None or seen.state != "ended":
            continue
        if is_left_unended(report):
            again.append(part)
        else:
            run.count(seen)
            ended.append(report)
    run.orders.again(again)
    run.following.at_once()
    over = {report.host for report in ended}
    return to_its_end(run, [host for host in hosts if host.name not in over], ended)


def _caught_up(run: PlacedRunning, host: Host, part: str) -> HostReport:
    """How a host stands by what was told meanwhile; programs get the records that they have not had."""
    for record in run.heard.keep(host.name, part, run.following.part(part), run.following.records(part)):
        if record.get("hash"):
            run.notice.recorded(record)
    return run.heard.report(host.name, part)
