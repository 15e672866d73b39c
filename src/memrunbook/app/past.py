"""What a run had made on its hosts, read from its journals: what an undo of it works on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.app.accounting import TrustedRun, trusted
from memrunbook.app.reporting import find_run
from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.run.made import boot_of, made
from memrunbook.core.run.record import Envelope, decode
from memrunbook.core.run.undo_plan import UNDO_OF, RunToUndo, changed_later
from memrunbook.runtime.redaction import HIDDEN
from memrunbook.state.names import file_name
from memrunbook.state.runs import Run
from memrunbook.state.taken_back import taken_back_since
from memrunbook.state.told import told_of_hosts

UNPROVEN = "nobody vouches for this: an earlier version made it and was cut off, so its journal may have been changed"


def pasts_of(state: Path, run: str, hosts: Sequence[Host], step: str) -> tuple[Run, dict[str, RunToUndo]]:
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
    refuse_elsewhere(found)
    told = trusted(state, found, "nothing is taken back by it")
    found = msgspec.structs.replace(found, invoked=told.invoked or found.invoked)
    names, later = _named(hosts, found), taken_back_since(state, found.run_id)
    every = {name: _past(told, found, name, later.get(name, {})) for name in names}
    pasts = {name: _only(past, step) for name, past in every.items()}
    if step and not any(past.made for past in pasts.values()):
        known = ", ".join(dict.fromkeys(one.step for past in every.values() for one in past.made))
        hint = f"these did: {known}" if known else "no step of it did"
        raise UsageError(f"step {step!r} of {found.run_id} changed nothing there", where="--step", hint=hint)
    return found, {name: past for name, past in pasts.items() if past.made}


def refuse_elsewhere(found: Run) -> None:
    """Refused for a run that workers carried out: it is taken back where each part of it is written down."""
    parts = found.invoked.parts if found.invoked else {}
    if not parts:
        return
    nodes = {host: told.node for host, told in told_of_hosts(found.path).items() if told.node}
    nodes |= {host.host: host.node for host in (found.ended.hosts if found.ended else ()) if host.node}
    if not nodes:
        raise Refused(
            f"run {found.run_id} was ordered of workers, and none has begun it: there is nothing to take back"
        )
    words = [f"undo {parts[host]} on {nodes[host]} ({host})" for host in sorted(nodes) if host in parts]
    why = f"run {found.run_id} was carried out by other control nodes, which have its journals"
    raise Refused(f"{why}: it is taken back there", hint=f"there: {'; '.join(words)}")


def makes_again(state: Path, pasts: Iterable[RunToUndo]) -> str:
    """The runbook whose changes an undo of these makes once more: they took its changes back; empty where none did.

    UsageError or JournalError where that run is not there any more: what holds for it is not known then.
    """
    run = next((one.of.run for past in pasts for one in past.made if one.of is not None), "")
    name = ""
    while run:
        invoked = find_run(state, run).invoked
        name = invoked.runbook if invoked else UNDO_OF
        run = name.removeprefix(UNDO_OF) if name.startswith(UNDO_OF) else ""
    return name


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


def _past(told: TrustedRun, found: Run, host: str, later: Mapping[str, str]) -> RunToUndo:
    envelopes = _envelopes(told, found, host)
    machine_id, boot_id = boot_of(envelopes)
    return RunToUndo(
        run=found.run_id,
        runbook=found.invoked.runbook if found.invoked else "",
        made=made(envelopes),
        machine_id=machine_id,
        boot_id=boot_id,
        hidden=HIDDEN,
        taken_back_by=later,
        unproven="" if told.ended or told.vouched else UNPROVEN,
    )


def _only(past: RunToUndo, step: str) -> RunToUndo:
    """What one step made, or one item of it."""
    mine = tuple(one for one in past.made if not step or step in (one.step, one.step.partition("/")[0]))
    return msgspec.structs.replace(past, made=mine, changed_later=changed_later(past.made, mine))


def _envelopes(told: TrustedRun, found: Run, host: str) -> list[Envelope]:
    """A host's journal, verified by now; without what was read of the host, but for which host that was.

    Of a run that was cut off only what the ledger vouches for: a command that it does not know was never begun.
    """
    path, sealed = found.path / f"{file_name(host)}.jsonl", told.sealed(host)
    try:
        known = (one for one in told.records(host) if told.ended or not told.vouched or one.get("seq", 0) <= sealed)
        return [decode(_unread(record), {}) for record in known]
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
