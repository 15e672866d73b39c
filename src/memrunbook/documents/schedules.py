"""Reads `schedules.yaml`: what is done when nobody sits at the keyboard. A broken schedule stops only itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.run.batches import Rollout
from memrunbook.core.schedule import MINUTE, Schedule, moments
from memrunbook.core.text import clean
from memrunbook.documents.config import some
from memrunbook.documents.matchers import wrong_alerting
from memrunbook.documents.owned import read_owned
from memrunbook.documents.problems import convert
from memrunbook.documents.rollouts import numbers
from memrunbook.documents.schedule_sense import SHOWN, consents, moment_of, timing, words
from memrunbook.documents.schedule_spec import ScheduleSpec
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load

MOST_JITTER = 300.0
KEYS = ("runbook", "parameters", "hosts", "inventory", "allow", "not_during", "valid_until")
"""Keys whose places are kept: what they name may not be there."""


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    schedules: list[Any] | UnsetType = UNSET


@dataclass(frozen=True, kw_only=True)
class ScheduledRun:
    """A schedule, ready: when, and what is done then. `where` is the `file:line` that names it; times are in seconds.

    `places` says where its keys stand (`file:line:column`), the entry itself under the empty one.
    `windows` are names of freezes, `calendars` files. `alerts` are matchers for the server `prometheus`, empty: none.
    """

    schedule: Schedule
    zone: str
    where: str
    runbook: str
    hosts: tuple[str, ...]
    inventory: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    max_risk: Risk = Risk.LOW
    allow: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    calendars: tuple[Path, ...] = ()
    prometheus: str = ""
    alerts: str = ""
    pause_after: int = 0
    rollout: Rollout = field(default_factory=Rollout)
    patience: float | None = None
    timeout: float | None = None
    reason: str = ""
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.schedule.name

    def at(self, key: str) -> str:
        """Where a key stands, or the entry where it has none."""
        return self.places.get(key) or self.places.get("") or self.where


@dataclass(frozen=True)
class Schedules:
    """The file: what can be used, and what is wrong with the rest, by the name (or number) of each broken schedule."""

    path: Path | None = None
    jobs: tuple[ScheduledRun, ...] = ()
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong."""
        return tuple(problem for problems in self.broken.values() for problem in problems)


def load_schedules(path: Path) -> Schedules:
    """The schedules of a file; DocumentError where the file as a whole cannot be read."""
    source = load(read_owned(path), str(path))
    head = convert(source, source.data, _Head)
    entries = [] if head.schedules is UNSET else head.schedules
    if not entries:
        raise DocumentError(
            [Problem(source.where(), "no schedule stands here", "schedules: [{name: …}], see the docs")]
        )
    reader = _Reader(source, path.absolute().parent)
    jobs: dict[str, ScheduledRun] = {}
    broken: dict[str, tuple[Problem, ...]] = {}
    for number, entry in enumerate(entries):
        name = _name(entry, number)
        job, problems = reader.job(number, entry)
        if name in jobs or name in broken:
            first = source.where(("schedules", [_name(one, n) for n, one in enumerate(entries)].index(name)))
            problems = [
                Problem(
                    source.where(("schedules", number, "name")), f"{name} names two schedules", f"the first: {first}"
                )
            ]
            broken[f"{name} (entry {number + 1})"] = tuple(problems)
        elif job is None:
            broken[name] = tuple(problems)
        else:
            jobs[name] = job
    return Schedules(path, tuple(jobs.values()), broken)


def _name(entry: object, number: int) -> str:
    named = entry.get("name") if isinstance(entry, dict) else None
    return clean(named, SHOWN) if isinstance(named, str) and named else f"entry {number + 1}"


@dataclass(frozen=True)
class _Reader:
    """Reads the entries of one file that lies in a folder."""

    source: Source
    folder: Path

    def job(self, number: int, entry: object) -> tuple[ScheduledRun | None, list[Problem]]:
        """One entry, ready, or everything that is wrong with it."""
        at = ("schedules", number)
        try:
            spec = convert(self.source, entry, ScheduleSpec, at)
        except DocumentError as error:
            return None, error.problems
        wrong = (*timing(spec), *words(spec), *consents(spec), *wrong_alerting(spec.unless_alerting))
        problems = [
            Problem(self.source.where((*at, *([key] if key else []))), message, hint) for key, message, hint in wrong
        ]
        serial = numbers(self.source, (*at, "serial"), spec.serial, problems)
        most = "".join(numbers(self.source, (*at, "max_failures"), spec.max_failures, problems))
        if problems:
            return None, problems
        job = self._made(spec, at, Rollout(serial=serial, max_failures=most))
        begins, ends = job.schedule.begins, job.schedule.ends
        if begins is not None and ends is not None and next(moments(job.schedule, begins - 1), None) is None:
            what, hint = (
                "it never fires between valid_from and valid_until",
                "make the time between them longer, or mend the cron line",
            )
            return None, [Problem(job.at("valid_until"), what, hint)]
        return job, []

    def _made(self, spec: ScheduleSpec, at: tuple[str | int, ...], rollout: Rollout) -> ScheduledRun:
        held = some(spec.not_during)
        calendars = [one for one in held if one.endswith(".ics")]
        alerting = spec.unless_alerting
        return ScheduledRun(
            schedule=_schedule(spec),
            zone=spec.timezone,
            where=self.source.line(at),
            runbook=self._path(spec.runbook) if "/" in spec.runbook or spec.runbook.endswith(".yaml") else spec.runbook,
            hosts=tuple(f"@{self._path(one[1:])}" if one.startswith("@") else one for one in some(spec.hosts)),
            inventory=tuple(self._inventory(one) for one in some(spec.inventory)),
            parameters={name: _text(value) for name, value in spec.parameters.items()},
            acts=spec.mode == "run",
            max_risk=Risk[spec.max_risk.upper()],
            allow=spec.allow,
            windows=tuple(one for one in held if one not in calendars),
            calendars=tuple(Path(self._path(one)) for one in calendars),
            prometheus=alerting.url if alerting else "",
            alerts=alerting.alerts if alerting else "",
            pause_after=spec.pause_on_failure or 0,
            rollout=rollout,
            patience=None if spec.patience is None else float(spec.patience),
            timeout=None if spec.timeout is None else float(spec.timeout),
            reason=spec.reason,
            places={key: self.source.where((*at, *([key] if key else []))) for key in ("", *KEYS)},
        )

    def _path(self, given: str) -> str:
        return os.path.normpath(self.folder / Path(given).expanduser())

    def _inventory(self, given: str) -> str:
        kind, sign, path = given.rpartition(":") if given.startswith("ansible:") else ("", "", given)
        return given if "," in path else f"{kind}{sign}{self._path(path)}"


def _schedule(spec: ScheduleSpec) -> Schedule:
    zone = ZoneInfo(spec.timezone)
    every = 0.0 if spec.every is None else float(spec.every)
    usual = min(every / 10, MOST_JITTER) if every else MINUTE
    begins = None if spec.valid_from is None else moment_of(spec.valid_from, zone)
    return Schedule(
        name=spec.name,
        zone=zone,
        cron=spec.cron or "",
        every=every,
        anchor=begins or 0.0,
        jitter=usual if spec.jitter is None else float(spec.jitter),
        misfire_grace=5 * MINUTE if spec.misfire_grace is None else float(spec.misfire_grace),
        catch_up=spec.catch_up,
        begins=begins,
        ends=None if spec.valid_until is None else moment_of(spec.valid_until, zone),
    )


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
