"""Holds the journals of a state directory against the lines that changes left in a host's own log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from memrunbook.core.host import HostIdentity
from memrunbook.core.text import clean
from memrunbook.runtime.witness import HostLog, Witness
from memrunbook.state import ledger
from memrunbook.state.audit import AuditFinding
from memrunbook.state.lines import read_lines

SHORT = 16
NAMED = 10


class WitnessedChange(Struct, frozen=True):
    """One change that a journal here says was carried out; `record` is the beginning of that record's hash."""

    time: str
    run: str
    host: str
    host_key: str
    step: str
    record: str
    node: str


class LogComparison(Struct, frozen=True):
    """A journal and a host's log: the changes here, those that its log has too, and what does not agree.

    `newest` is the run of the newest change here, where that is in the host's log: nothing newer on that host was
    removed here without a trace there. It is empty where that is not known. `names` are those of the host in journals.
    """

    host: str
    here: int
    agreed: int
    sources: tuple[str, ...]
    problem: str
    findings: tuple[AuditFinding, ...]
    newest: str = ""
    names: tuple[str, ...] = ()

    @property
    def end_known(self) -> bool:
        """True where its log knows the newest change here."""
        return bool(self.newest)


class _Actor(Struct, frozen=True):
    control_node: str = ""


class _Request(Struct):
    type: str = ""
    step: object = ""


class _Line(Struct):
    event: str
    hash: str
    request: _Request
    time: str = ""
    run: str = ""
    host: str = ""
    actor: _Actor = _Actor()
    identity: HostIdentity = HostIdentity()


def made(state: Path) -> Iterator[WitnessedChange]:
    """Every change of every run, in the order of the runs' names."""
    for path in sorted((state / "runs").glob("*/*.jsonl")):
        for line in read_lines(path, _Line, having=b'"Execute"'):
            if line.event == "asked" and line.request.type == "Execute":
                step, record = clean(str(line.request.step)), line.hash[:SHORT]
                node, key = line.actor.control_node, line.identity.host_key
                yield WitnessedChange(line.time, path.parent.name, line.host, key, step, record, node)


def compare(state: Path, host: str, identity: HostIdentity, log: HostLog) -> LogComparison:
    """What of a host's log and the journals here disagrees. A change without a line there is no fault: logs end."""
    every = list(made(state))
    runs = {path.name for path in (state / "runs").glob("*")} | {entry.run for entry in ledger.read(state)}
    records = {(one.run, one.record) for one in every}
    lines = {(line.run, line.record) for line in log.lines}
    strange = [line for line in log.lines if (line.run, line.record) not in records]
    own = [one for one in every if one.host == host or (one.host_key and one.host_key == identity.host_key)]
    agreed = [one for one in own if (one.run, one.record) in lines]
    newest = max(own, key=lambda one: one.time, default=None)
    findings = [*_known(host, [line for line in strange if line.run in runs], every, lines)]
    nodes = {one.node for one in every} | {os.uname().nodename}
    findings += _unknown(host, [line for line in strange if line.run not in runs], nodes)
    known = newest.run if not log.problem and newest and (newest.run, newest.record) in lines else ""
    names = tuple(sorted({one.host for one in own}))
    return LogComparison(host, len(own), len(agreed), log.sources, log.problem, tuple(findings), known, names)


def _known(
    host: str, strange: list[Witness], every: list[WitnessedChange], lines: set[tuple[str, str]]
) -> Iterator[AuditFinding]:
    """What is wrong with runs that are here."""
    for line in strange:
        twins = [one for one in every if (one.run, one.step) == (line.run, line.step)]
        other = next((one.record for one in twins if (one.run, one.record) not in lines), "")
        what = f"step {line.step} of run {line.run} was made under record {line.record}"
        if other:
            said = f"{what}, the journal here says {other}: it was changed and sealed again"
        else:
            said = f"{what}, which its journal here does not hold: it was cut"
        yield AuditFinding("error", f"the log of {host}", said)


def _unknown(host: str, strange: list[Witness], nodes: set[str]) -> Iterator[AuditFinding]:
    """What is wrong with runs that are not here: removed, or made elsewhere; one finding for each who made them."""
    for by in dict.fromkeys(line.by for line in strange):
        lines = [line for line in strange if line.by == by]
        runs = list(dict.fromkeys(line.run for line in lines))
        named = ", ".join(runs[:NAMED]) + (f" and {len(runs) - NAMED} more" if len(runs) > NAMED else "")
        changes = f"{len(lines)} change{'s' * (len(lines) != 1)} on {host} that this journal does not hold"
        said = f"{changes}: run{'s' * (len(runs) != 1)} {named}"
        if by and by.rpartition("@")[2] not in nodes:
            yield AuditFinding("note", f"the log of {host}", f"{said}, made by {by}: another control node")
        elif by:
            why = "deleted here, or made with another state directory of this control node"
            yield AuditFinding("error", f"the log of {host}", f"{said}, made by {by}: {why}")
        else:
            why = "deleted here, or made with another state directory or from another control node"
            yield AuditFinding("error", f"the log of {host}", f"{said}: {why}")
