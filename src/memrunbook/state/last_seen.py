"""What runs saw last of each host, read out of their journals: its incidents, OOM kills, leaks, and its own switch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from memrunbook.state import disk
from memrunbook.state.lines import decoded
from memrunbook.state.names import file_name
from memrunbook.state.runs import Run

MOST_RUNS = 500
"""The newest so many are read: older ones say nothing of now."""
MOST_OF_HOST = 20
"""Journals of one host that are looked through: a step reads only what it needs, so not each of them has all."""


class SeenIncident(Struct, frozen=True):
    """What a runbook said of a host last; `at` in seconds since 1970."""

    host: str
    runbook: str
    state: Literal["holds", "fails", "unknown"]
    at: float


class SeenLeak(Struct, frozen=True):
    """Who leaked: its name, its kind, and in seconds how long that still went well, from the reading on."""

    kind: str
    name: str
    seconds_left: float | None = None


class SeenHost(Struct):
    """What the newest reading of a host held of each; None where none was read. Times are in seconds since 1970.

    `kills` are OOM kills by the unit of the victim (empty where that is not known). `switched_off` says whether a file
    on the host itself forbids changes there.
    """

    host: str
    kills: dict[str, int] | None = None
    leaks: tuple[SeenLeak, ...] | None = None
    leaks_at: float = 0.0
    switched_off: bool | None = None


class _Verdict(Struct):
    state: Literal["holds", "fails", "unknown"]


class _Diagnosis(Struct):
    runbook: str
    incident: _Verdict


class _Diagnosed(Struct):
    diagnosis: _Diagnosis


class _DiagnosedLine(Struct):
    time: str
    record: _Diagnosed


class _Event(Struct):
    unit: str = ""
    victim: str = ""


class _Events(Struct):
    events: tuple[_Event, ...] | None = None


class _Leaking(Struct):
    leaking: tuple[SeenLeak, ...] | None = None


class _Host(Struct):
    switched_off: str | None = None


class _Readings(Struct):
    oom: _Events | None = None
    host: _Host | None = None
    units: _Leaking | None = None
    cgroups: _Leaking | None = None
    processes: _Leaking | None = None
    slab: _Leaking | None = None
    memory: _Leaking | None = None

    @property
    def leaks(self) -> tuple[SeenLeak, ...] | None:
        """Of all facts that say who leaks; None where none of them can tell."""
        facts = (self.units, self.cgroups, self.processes, self.slab, self.memory)
        known = [fact.leaking for fact in facts if fact is not None and fact.leaking is not None]
        return tuple(leak for leaks in known for leak in leaks) if known else None


class _Snapshot(Struct):
    readings: _Readings


class _SnapshotLine(Struct):
    time: str
    answer: _Snapshot


def seen_incidents(runs: Iterable[Run]) -> list[SeenIncident]:
    """The newest diagnosis of each host by each runbook; `runs` are the newest first."""
    return seen(runs)[0]


def seen_hosts(runs: Iterable[Run]) -> list[SeenHost]:
    """What was read last of each host; `runs` are the newest first."""
    return seen(runs)[1]


def seen(runs: Iterable[Run]) -> tuple[list[SeenIncident], list[SeenHost]]:
    """Both, and no journal is read twice for them."""
    incidents: dict[tuple[str, str], SeenIncident] = {}
    hosts: dict[str, SeenHost] = {}
    looked: Counter[str] = Counter()
    for run, host in _hosts(runs):
        one = hosts.setdefault(host, SeenHost(host))
        judged = run.invoked is not None and (host, run.invoked.runbook) in incidents
        known = None not in (one.kills, one.leaks, one.switched_off) or looked[host] >= MOST_OF_HOST
        if judged and known:
            continue
        content = disk.contents(run.path / f"{file_name(host)}.jsonl")
        if not judged:
            for line in list(decoded(content, _DiagnosedLine, b'"type":"diagnosed"'))[-1:]:
                said, at = line.record.diagnosis, _seconds(line.time)
                if at is not None:
                    incidents.setdefault(
                        (host, said.runbook), SeenIncident(host, said.runbook, said.incident.state, at)
                    )
        if not known:
            looked[host] += 1
            _complete(one, list(decoded(content, _SnapshotLine, b'"type":"Snapshot"')))
    return list(incidents.values()), list(hosts.values())


def _complete(seen: SeenHost, told: list[_SnapshotLine]) -> None:
    """Adds what is not known yet, of the newest line that has it."""
    for line in reversed(told):
        readings, at = line.answer.readings, _seconds(line.time)
        if seen.kills is None and readings.oom is not None and readings.oom.events is not None:
            seen.kills = dict(Counter(event.unit for event in readings.oom.events if event.victim))
        if seen.leaks is None and readings.leaks is not None and at is not None:
            seen.leaks, seen.leaks_at = readings.leaks, at
        if seen.switched_off is None and readings.host is not None and readings.host.switched_off is not None:
            seen.switched_off = bool(readings.host.switched_off)


def _seconds(time: str) -> float | None:
    """A journal that was changed is no reason to say nothing of the others."""
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None


def _hosts(runs: Iterable[Run]) -> Iterator[tuple[Run, str]]:
    for number, run in enumerate(runs):
        if number >= MOST_RUNS:
            return
        yield from ((run, host) for host in run.hosts)
