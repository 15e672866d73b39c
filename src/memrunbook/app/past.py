"""What a run had made on its hosts, read from its journals: what an undo of it works on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.app.accounting import refuse_doubtful
from memrunbook.app.reporting import find_run
from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.made import boot_of, made
from memrunbook.core.run.record import Envelope, Recorded, decode
from memrunbook.core.run.undo_plan import Past
from memrunbook.runtime.redaction import HIDDEN
from memrunbook.state.names import file_name
from memrunbook.state.runs import Run, records, runs


def pasts_of(state: Path, run: str, hosts: Sequence[Host], step: str) -> tuple[Run, dict[str, Past]]:
    """What a run made, by host; of the hosts that are named (none: all of them) and of one step (empty: of all).

    Refused for a run that is running; UsageError for a run, a host or a step that there is not; JournalError where a
    journal is not intact. Hosts on which it made nothing are left out.
    """
    found = find_run(state, run)
    if found.state == "running":
        raise Refused(
            f"run {found.run_id} is running: a process is at work on it",
            hint="wait until it has ended; Ctrl-C in its terminal ends it after the command that is under way",
        )
    refuse_doubtful(state, found.run_id, "nothing is taken back by it")
    names, later = _named(hosts, found), _taken_back_since(state, found.run_id)
    every = {name: _past(state, found, name, later.get(name, {})) for name in names}
    pasts = {name: _only(past, step) for name, past in every.items()}
    if step and not any(past.made for past in pasts.values()):
        known = ", ".join(dict.fromkeys(one.step for past in every.values() for one in past.made))
        hint = f"these did: {known}" if known else "no step of it did"
        raise UsageError(f"step {step!r} of {found.run_id} changed nothing there", where="--step", hint=hint)
    return found, {name: past for name, past in pasts.items() if past.made}


def reached(found: Run, named: Sequence[Host], names: Collection[str]) -> tuple[Host, ...]:
    """The hosts as they are to be reached: as they are `named` now, else as the run reached them."""
    order = found.invoked.order if found.invoked else None
    known = {host.name: host for host in (*(order.hosts if order else ()), *named)}
    return tuple(known.get(name) or Host(name, transport=LOCAL if name == LOCAL else "ssh") for name in names)


def _named(hosts: Sequence[Host], found: Run) -> list[str]:
    unknown = [host.name for host in hosts if host.name not in found.hosts]
    if unknown:
        there = ", ".join(found.hosts) or "no host"
        raise UsageError(f"run {found.run_id} did not work on {unknown[0]}", where="--host", hint=f"it did on: {there}")
    return [host.name for host in hosts] or list(found.hosts)


def _past(state: Path, found: Run, host: str, later: Mapping[str, str]) -> Past:
    envelopes = _envelopes(state, found, host)
    machine_id, boot_id = boot_of(envelopes)
    return Past(
        run=found.run_id,
        runbook=found.invoked.runbook if found.invoked else "",
        made=made(envelopes),
        machine_id=machine_id,
        boot_id=boot_id,
        hidden=HIDDEN,
        taken_back_by=later,
    )


def _only(past: Past, step: str) -> Past:
    """What one step made, or one item of it."""
    mine = (one for one in past.made if not step or step in (one.step, one.step.partition("/")[0]))
    return msgspec.structs.replace(past, made=tuple(mine))


def _envelopes(state: Path, found: Run, host: str) -> list[Envelope]:
    """A host's journal, verified by now; without what was read of the host, but for which host that was."""
    path = found.path / f"{file_name(host)}.jsonl"
    try:
        return [decode(_unread(record), {}) for record in records(state, found.run_id, host)]
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the journal holds a record that this version cannot read: {error}", where=str(path),
            hint="take it back with the version that made it (runbook report shows which)",
        ) from None  # fmt: skip


def _unread(record: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = record.get("answer")
    return (
        {**record, "answer": {**answer, "readings": {}}}
        if isinstance(answer, dict) and "readings" in answer
        else record
    )


def _taken_back_since(state: Path, run_id: str) -> dict[str, dict[str, str]]:
    """By host and step, the undo that took it back, the newest first."""
    title, found = Past(run=run_id).name, dict[str, dict[str, str]]()
    for run in runs(state):
        if run.invoked is None or run.invoked.runbook != title:
            continue
        for host in run.hosts:
            for step in _done(records(state, run.run_id, host)):
                found.setdefault(host, {}).setdefault(step, run.run_id)
    return found


def _done(told: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for record in told:
        event = decode(record, {}) if record.get("event") == "recorded" else None
        if isinstance(event, Recorded) and isinstance(event.record, StepFinished) and event.record.state == "done":
            end = event.record
            yield f"{end.id}/{end.item}" if end.item else end.id
