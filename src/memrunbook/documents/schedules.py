"""Reads `schedules.yaml`: what is done when nobody sits at the keyboard. A broken schedule stops only itself."""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, Struct, UnsetType

from memrunbook import catalog
from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.run.batches import Rollout
from memrunbook.core.schedule import MINUTE, CatchUp, Schedule, cron_problem
from memrunbook.core.text import clean
from memrunbook.core.units import Duration, format_duration
from memrunbook.documents.config import some
from memrunbook.documents.freezes import near_zone, zone_named
from memrunbook.documents.matchers import AlertingSpec, wrong_alerting
from memrunbook.documents.owned import read_owned
from memrunbook.documents.problems import convert
from memrunbook.documents.rollouts import NumberOfHosts, Numbers, numbers
from memrunbook.documents.source import Source
from memrunbook.documents.yaml_source import load

SHORTEST, LONGEST = 5.0, 366 * 86_400.0
MOST_JITTER = 300.0
LONGEST_JITTER = 86_400.0
SHOWN = 60
CRON = 'five fields: minute hour day month weekday, as in "30 3 * * 1-5"; at 3:30 each day: "30 3 * * *"'
WHEN = 'a date, or a date and a time of its time zone, as in "2026-12-01 06:00"'
Several = tuple[Annotated[str, Meta(min_length=1)], ...]
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]*$", max_length=60)]


class ScheduleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One schedule: when, what, where, and what it may do without being asked."""

    name: Annotated[Name, Meta(description="what it is called in records and commands")]
    runbook: Annotated[str, Meta(min_length=1, description="a runbook by name, or by a path beside schedules.yaml")]
    hosts: Annotated[
        str | Several, Meta(description="as --host: names, groups and patterns of the inventory, or local")
    ]
    cron: Annotated[str, Meta(min_length=1, description=CRON)] | None = None
    every: Annotated[Duration, Meta(description="instead of cron: an interval, 5s to 366d")] | None = None
    timezone: Annotated[str, Meta(min_length=1, description="an IANA time zone, as in Europe/Berlin")] = "UTC"
    jitter: (
        Annotated[Duration, Meta(description="each firing starts up to so much later; 1m for cron, a tenth of every")]
        | None
    ) = None
    inventory: Annotated[str | Several, Meta(description="as -i; without it that of config.yaml")] = ()
    parameters: Annotated[
        dict[str, str | int | float | bool], Meta(description="parameters of the runbook, as -p")
    ] = {}
    mode: Annotated[
        Literal["plan", "run"], Meta(description="plan: say what would be done; run: do what max_risk and allow let it")
    ] = "plan"
    max_risk: Annotated[
        Literal["none", "low", "medium"], Meta(description="the highest risk that is done without being asked")
    ] = "low"
    allow: Annotated[
        Several, Meta(description="ACTION:TARGET that is done beyond that, as in restart_unit:search-api.service")
    ] = ()
    overlap: Annotated[Literal["skip"], Meta(description="while the one before runs, the next one is skipped")] = "skip"
    misfire_grace: Annotated[Duration, Meta(description="a firing may start so much late")] | None = None
    catch_up: Annotated[CatchUp, Meta(description="of what was missed: none, the last, or all (24 at most)")] = "none"
    not_during: Annotated[
        str | Several, Meta(description="names of freezes of config.yaml, and iCalendar files (.ics)")
    ] = ()
    valid_from: Annotated[str, Meta(description=WHEN)] | None = None
    valid_until: Annotated[str, Meta(description=WHEN)] | None = None
    pause_on_failure: Annotated[int, Meta(ge=1, le=100, description="after so many failures in a row")] | None = None
    unless_alerting: AlertingSpec | None = None
    serial: Annotated[Numbers, Meta(description="as --serial")] = None
    max_failures: Annotated[NumberOfHosts | None, Meta(description="as --max-failures")] = None
    patience: Annotated[Duration, Meta(description="as --patience")] | None = None
    timeout: Annotated[Duration, Meta(description="after so long nothing new is begun")] | None = None
    reason: Annotated[str, Meta(description="kept in the journal")] = ""


class SchedulesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: a list of schedules."""

    schedules: tuple[ScheduleSpec, ...]


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    schedules: list[Any] | UnsetType = UNSET


@dataclass(frozen=True, kw_only=True)
class ScheduledRun:
    """A schedule, ready: when, and what is done then. `where` is the `file:line` that names it; times are in seconds.

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

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.schedule.name


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
        problems = [
            Problem(self.source.where((*at, *([key] if key else []))), message, hint)
            for key, message, hint in (*_timing(spec), *_consents(spec), *wrong_alerting(spec.unless_alerting))
        ]
        serial = numbers(self.source, (*at, "serial"), spec.serial, problems)
        most = "".join(numbers(self.source, (*at, "max_failures"), spec.max_failures, problems))
        return (None, problems) if problems else (self._made(spec, at, Rollout(serial=serial, max_failures=most)), [])

    def _made(self, spec: ScheduleSpec, at: tuple[str | int, ...], rollout: Rollout) -> ScheduledRun:
        held = some(spec.not_during)
        calendars = [one for one in held if one.endswith(".ics")]
        alerting = spec.unless_alerting
        return ScheduledRun(
            schedule=_schedule(spec),
            zone=spec.timezone,
            where=self.source.line(at),
            runbook=self._path(spec.runbook) if "/" in spec.runbook or spec.runbook.endswith(".yaml") else spec.runbook,
            hosts=some(spec.hosts),
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
    begins = None if spec.valid_from is None else _moment(spec.valid_from, zone)
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
        ends=None if spec.valid_until is None else _moment(spec.valid_until, zone),
    )


def _timing(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the times of a schedule: its key, the message, the hint."""
    if (spec.cron is None) == (spec.every is None):
        what = "it says neither cron nor every" if spec.cron is None else "it says both cron and every"
        yield "", what, f'write one of them: cron: "30 3 * * *", or every: "1h"; cron has {CRON}'
    if spec.cron is not None and (wrong := cron_problem(spec.cron)):
        yield "cron", f'"{clean(spec.cron, SHOWN)}" is no cron line: {wrong}', CRON
    every = None if spec.every is None else float(spec.every)
    if every is not None and not SHORTEST <= every <= LONGEST:
        yield "every", f"{format_duration(every)} is no interval", "from 5 s to 366 d"
    if spec.jitter is not None and float(spec.jitter) >= min(every or LONGEST, LONGEST_JITTER):
        yield "jitter", "the jitter is as long as the interval, or a day", "write a shorter one"
    if (zone := zone_named(spec.timezone)) is None:
        yield "timezone", f'there is no time zone "{clean(spec.timezone, SHOWN)}"', near_zone(spec.timezone)
    else:
        yield from _validity(spec, zone)


def _validity(spec: ScheduleSpec, zone: dt.tzinfo) -> Iterator[tuple[str, str, str]]:
    found: list[float] = []
    for key, given in (("valid_from", spec.valid_from), ("valid_until", spec.valid_until)):
        moment = None if given is None else _moment(given, zone)
        if given is not None and moment is None:
            yield key, f'"{clean(given, SHOWN)}" is no such time', WHEN
        found += [] if moment is None else [moment]
    if len(found) > 1 and found[0] >= found[1]:
        yield "valid_until", "it ends before it begins", "valid_until must be later than valid_from"


def _consents(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """What is allowed names an action and its target: nobody looks at a schedule again for years."""
    kinds = catalog.actions() if spec.allow else {}
    for word in spec.allow:
        action, colon, target = word.partition(":")
        if action not in kinds:
            near = difflib.get_close_matches(action, kinds, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "ACTION:TARGET, as in restart_unit:search-api.service"
            yield "allow", f"there is no action {clean(action, SHOWN)!r}", hint
        elif not (colon and target.strip()):
            target = kinds[action].only_target or "search-api.service"
            yield "allow", f"{action} is allowed without its target", f"write which one, as in {action}:{target}"


def _moment(text: str, zone: dt.tzinfo) -> float | None:
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
