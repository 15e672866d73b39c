"""What runs saw last of each host, read out of their journals: its incidents, and its OOM kills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from memrunbook.state.lines import read_lines
from memrunbook.state.names import file_name
from memrunbook.state.runs import Run

MOST_RUNS = 500
"""The newest so many are read: older ones say nothing of now."""


class SeenIncident(Struct, frozen=True):
    """What a runbook said of a host last; `at` in seconds since 1970."""

    host: str
    runbook: str
    state: Literal["holds", "fails", "unknown"]
    at: float


class SeenKills(Struct, frozen=True):
    """How many OOM kills the log of a host held, by the unit of the victim (empty where that is not known)."""

    host: str
    units: dict[str, int]


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
    events: tuple[_Event, ...] = ()


class _Readings(Struct):
    oom: _Events | None = None


class _Snapshot(Struct):
    readings: _Readings


class _SnapshotLine(Struct):
    answer: _Snapshot


def seen_incidents(runs: Iterable[Run]) -> list[SeenIncident]:
    """The newest diagnosis of each host by each runbook; `runs` are the newest first."""
    found: dict[tuple[str, str], SeenIncident] = {}
    for run, host in _hosts(runs):
        told = list(read_lines(run.path / f"{file_name(host)}.jsonl", _DiagnosedLine, b'"type":"diagnosed"'))
        for line in told[-1:]:
            said = line.record.diagnosis
            with suppress(ValueError):
                at = dt.datetime.fromisoformat(line.time).timestamp()
                found.setdefault((host, said.runbook), SeenIncident(host, said.runbook, said.incident.state, at))
    return list(found.values())


def seen_kills(runs: Iterable[Run]) -> list[SeenKills]:
    """The kills in the newest log of each host that was read; `runs` are the newest first."""
    found: dict[str, SeenKills] = {}
    for run, host in _hosts(runs):
        if host in found:
            continue
        told = list(read_lines(run.path / f"{file_name(host)}.jsonl", _SnapshotLine, b'"type":"Snapshot"'))
        logs = [line.answer.readings.oom for line in told if line.answer.readings.oom is not None]
        if logs:
            units: dict[str, int] = {}
            for event in logs[-1].events:
                if event.victim:
                    units[event.unit] = units.get(event.unit, 0) + 1
            found[host] = SeenKills(host, units)
    return list(found.values())


def _hosts(runs: Iterable[Run]) -> Iterator[tuple[Run, str]]:
    for number, run in enumerate(runs):
        if number >= MOST_RUNS:
            return
        yield from ((run, host) for host in run.hosts)
