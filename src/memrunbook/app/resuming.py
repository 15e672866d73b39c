"""Goes on with a run that was cut off: looks at what was open, runs what has not ended, brings the run to its end."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook import catalog
from memrunbook.app.accounting import TrustedRun, trusted
from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.earlier import Earlier, earlier, is_over
from memrunbook.app.gates import OneAtATime
from memrunbook.app.handling import handled_by_all
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.reporting import LAST, find_run, report
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.sealing import to_its_end
from memrunbook.app.still_approved import Approvals, ResumedRun, approvals_of
from memrunbook.app.stored import Stored, settings_of
from memrunbook.app.tuning import tuned
from memrunbook.app.under_way import Running
from memrunbook.app.witnessing import same_run
from memrunbook.core.errors import Refused
from memrunbook.core.host import Host
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.flight import proven
from memrunbook.core.run.record import Actor, Ended, Invoked, Order, Resumed, plain
from memrunbook.core.run.report import fold, is_left_unended
from memrunbook.core.run.undo_plan import UNDO_OF
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.jobs import Jobs
from memrunbook.runtime.ports import Approver
from memrunbook.runtime.redaction import HIDDEN, redact
from memrunbook.state.kept_approvals import keep_plan
from memrunbook.state.left_open import left_open
from memrunbook.state.names import file_name
from memrunbook.state.paths import usual_state_dir
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import Run, runs
from memrunbook.state.taken_back import taken_back_since
from memrunbook.version import __version__

ANEW = "begin anew: runbook run looks at what is open on the host before it does anything"

TO_GO_ON = frozenset({"interrupted", "unreachable"})
"""Outcomes of hosts with which a run is gone on with although it has ended."""


@dataclass(frozen=True, kw_only=True)
class ResumeArguments:
    """A run by its id, or "last" (as `resumable` has it). Runbook, hosts and parameters are as it was begun with.

    `reason` and `command` (what was typed) are kept in the journal. `break_lock` takes over the lock of a dead run.
    `store` is as of a run. `retry_file` stands instead of the one that the run was begun with.
    """

    run: str
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    reason: str = ""
    command: str = ""
    break_lock: bool = False
    consents: Consents = field(default_factory=Consents)
    retry_file: str = ""
    actor: Actor = field(default_factory=this_actor)


def resumable(state: Path, run: str) -> str:
    """The id of a run; for "last" of the newest one that was cut off or stopped, and of the newest where none was.

    UsageError and JournalError as `find_run`.
    """
    known = runs(state)
    found = find_run(state, run, known)
    if run != LAST or found.state == "running":
        return found.run_id
    own = (one for one in known if one.invoked is None or not one.invoked.part_of)  # workers go on with the others
    last = (one for one in own if one.state == "interrupted" or (one.state == "ended" and _stopped(state, one)))
    return next((one for one in last if not taken_back_since(state, one.run_id)), found).run_id


def ordered(state: Path, run: str) -> Order:
    """What an interrupted run was ordered to do; Refused where it cannot be gone on with."""
    return _interrupted(state, run)[2]


def resume(
    arguments: ResumeArguments,
    approver: Approver,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> RunResult:
    """Goes on with an interrupted run, in its own journal, to its end; as `run` does otherwise.

    One that has ended is gone on with where a person had stopped it, or a host was lost: not reached any more, or with
    a step that is open still; hosts that had ended otherwise are left as they are.
    Refused for any other that has ended, for one that is running, one of which an undo has taken something back, one of
    another version, and one whose runbook is another by now; JournalError where its journals are not as they were
    written; UsageError where there is none.
    """
    found, invoked, order = _interrupted(arguments.state, arguments.run)
    runbook = _runbook(arguments, invoked, order)
    policy, config = arguments.library.policy(), settings_of(arguments.library)
    hosts, own = tuned(arguments.library, order.runbook, runbook, order.parameters, order.hosts)
    arguments.connectors.check(order.hosts)
    approvals = approvals_of(invoked.applied, arguments.library, arguments.state, arguments.actor.user)
    clock, known = SystemClock(stop := stop or threading.Event()), runs(arguments.state)
    stored = Stored(arguments.state, config, arguments.store)
    jobs = stored.jobs() if invoked.parts else None
    with closing(stored.open()) as store, same_run(stored, store, found.run_id, notice, clock) as directory:
        _begin_again(directory, arguments, approvals, clock)
        running = ResumedRun(
            arguments=_as_run(arguments, order, approvals, invoked.parts),
            runbook=runbook,
            policy=policy,
            config=config,
            directory=directory,
            approver=OneAtATime(approver, stop),
            notice=notice,
            stop=stop,
            handled=handled_by_all(arguments.state, known, store).get(runbook.name, {}),
            left=tuple(opened for opened in left_open(arguments.state, known) if opened.run != found.run_id),
            store=store,
            approvals=approvals,
            own=own,
        )
        if jobs is not None:
            return _attached(running, invoked, jobs, hosts)
        return _where_it_was(running, _parts(found, order), hosts)


def _attached(running: Running, invoked: Invoked, jobs: Jobs, hosts: Sequence[Host]) -> RunResult:
    from memrunbook.app.attaching import attach

    return attach(running, invoked, jobs, hosts)


def _where_it_was(running: Running, parts: Mapping[str, Earlier], hosts: Sequence[Host]) -> RunResult:
    """Goes on on the hosts where the run has not come to its end."""
    running.parts = parts
    ended = [fold(name, part.events) for name, part in parts.items() if is_over(part)]
    waiting = [host for host in hosts if not is_over(parts[host.name])]
    return to_its_end(running, waiting, ended)


def _interrupted(state: Path, run: str) -> tuple[TrustedRun, Invoked, Order]:
    found = find_run(state, resumable(state, run))
    if found.state == "running":
        raise Refused(f"run {found.run_id} is running: a process is at work on it", hint="wait for it, or end it")
    if found.state == "ended" and not _stopped(state, found):
        outcomes = ", ".join(f"{host.host} {host.outcome}" for host in found.ended.hosts) if found.ended else ""
        how = f" ({outcomes})" if outcomes else ""
        raise Refused(f"run {found.run_id} has ended{how}: there is nothing to go on with", hint=_then(found))
    told = trusted(state, found, "the run does not go on by it")
    invoked = told.invoked
    if invoked is None:
        raise _unbegun(state, found)
    if invoked.part_of:
        what, by = f"run {found.run_id} is part of {invoked.part_of}", invoked.asked or invoked.actor.user
        hint = f"where that was ordered, resume {invoked.part_of} follows it"
        raise Refused(f"{what}, which {by} has ordered: workers go on with it", hint=hint)
    if invoked.runbook.startswith(UNDO_OF):
        of = invoked.runbook.removeprefix(UNDO_OF)
        raise Refused(f"run {found.run_id} was taking {of} back, and was cut off", hint=f"repeat it: runbook undo {of}")
    _heed_undo(state, found)
    if invoked.order is None or invoked.engine != __version__:
        raise Refused(f"run {found.run_id} was begun by version {invoked.engine}, and this is {__version__}",
                      hint=ANEW)  # fmt: skip
    return told, invoked, invoked.order


def _heed_undo(state: Path, found: Run) -> None:
    """Refused for a run of which something was taken back since: it would go on as though that were still there."""
    back = taken_back_since(state, found.run_id)
    if back:
        host, steps = next(iter(back.items()))
        step, by = next(iter(steps.items()))
        why = f"run {by} has taken back what it did (step {step} on {host})"
        raise Refused(f"run {found.run_id} cannot be gone on with: {why}", hint=ANEW)


def _unbegun(state: Path, found: Run) -> Refused:
    """Why a run cannot be gone on with whose order nobody vouches for: it is in the ledger before a host is entered."""
    journals = [found.path / f"{file_name(host)}.jsonl" for host in found.hosts]
    if any(one.exists() and one.stat().st_size for one in journals):
        why = "an earlier version began it, and nobody vouches for what its journals say"
        return Refused(f"run {found.run_id} cannot be gone on with: {why}", hint=ANEW)
    _close(state, found)
    why = "was cut off before it had begun: nothing was done, and it is closed now"
    return Refused(f"run {found.run_id} {why}", hint="repeat the command")


def _stopped(state: Path, found: Run) -> bool:
    """True where hosts were stopped or lost in the middle: not reached any more, or with a step that is open still."""
    end = found.ended
    stopped = end is not None and (end.stopped or any(host.outcome in TO_GO_ON for host in end.hosts))
    if found.invoked is not None and found.invoked.parts:
        return stopped or any(map(is_left_unended, report(state, found.run_id).reports))
    return stopped or any(opened.run == found.run_id for opened in left_open(state))


def _then(found: Run) -> str:
    return f"runbook report {found.run_id} shows what it did"


def _close(state: Path, found: Run) -> None:
    clock = SystemClock()
    with RunDirectory.reopen(state, found.run_id, clock.now) as directory:
        directory.run.append(plain(Ended(time=clock.now().isoformat(), hosts=())))
        directory.end()


def _runbook(arguments: ResumeArguments, invoked: Invoked, order: Order) -> Runbook:
    if HIDDEN in " ".join(order.parameters.values()):
        raise Refused("a parameter of the run was a secret, which no journal keeps", hint=ANEW)
    runbook = arguments.library.runbook(order.runbook, order.parameters)
    if runbook.digest != invoked.runbook_digest:
        was, now = invoked.runbook_digest[:8], runbook.digest[:8]
        raise Refused(
            f"the runbook {order.runbook} is another one by now: it was sha256:{was} then, and is sha256:{now}",
            hint=f"put the file back as it was, or {ANEW}",
        )
    return runbook


def _begin_again(
    directory: RunDirectory, arguments: ResumeArguments, approvals: Approvals | None, clock: SystemClock
) -> None:
    """Writes down who goes on with it, and the approvals of its plan as they are judged now."""
    applied = approvals.applied if approvals else None
    if approvals is not None and applied is not None:
        keep_plan(directory.path, approvals.content)
    resumed = Resumed(
        time=clock.now().isoformat(),
        engine=__version__,
        actor=arguments.actor,
        command=redact(arguments.command),
        reason=redact(arguments.reason),
        applied=applied,
    )
    directory.run.append(plain(resumed))


def _as_run(
    arguments: ResumeArguments, order: Order, approvals: Approvals | None, parts: Mapping[str, str]
) -> RunArguments:
    return RunArguments(
        runbook=order.runbook,
        hosts=order.hosts,
        connectors=arguments.connectors,
        library=arguments.library,
        state=arguments.state,
        store=arguments.store,
        parameters=order.parameters,
        watch=order.watch,
        break_lock=arguments.break_lock,
        consents=arguments.consents,
        actor=arguments.actor,
        approved=approvals.approved() if approvals else {},
        rollout=order.rollout.with_file(arguments.retry_file),
        distribute=bool(parts),
        parts=parts,
    )


def _parts(found: TrustedRun, order: Order) -> dict[str, Earlier]:
    readings = {name: fact.reading for name, fact in catalog.facts().items()}
    told = {host.name: list(proven(found.records(host.name), found.sealed(host.name))) for host in order.hosts}
    return {name: earlier(found.run_id, records, readings) for name, records in told.items()}
