"""Keys of config.yaml: where it is remembered what was done, which log is told of it, and how much is enough."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, structs

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.plan.limits import STALE, Limits
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.units import DAY, HOUR, MINUTE, Duration, format_duration
from memrunbook.documents.source import Source
from memrunbook.runtime.outside import LOGS, STORES, holds_password, is_file, is_log, is_server, shown

Count = Annotated[int, Meta(ge=1, le=100)]
PATIENCE, LONGEST = 5 * MINUTE, HOUR
"""Seconds that a run waits for a store that is away, and at most: its claim on a change lasts no longer."""
USUAL, KEEPING = Limits(), Keeping()


def usual(meaning: str, value: float) -> Meta:
    """What a key means, with what counts where it is left out: a count, or a time in seconds."""
    told = f"{value:g}" if value < MINUTE else format_duration(value)
    return Meta(description=f"{meaning}; {told} where it is left out")


StorePlace = Annotated[str, Meta(description="postgresql://USER@HOST/DATABASE, or the path of a file of SQLite")]
LogPlace = Annotated[str, Meta(description="journald, syslog, udp://HOST[:PORT] or tcp://HOST[:PORT]")]
RANGES = {
    "cool_down": (MINUTE, 7 * DAY),
    "restart_every": (MINUTE, 7 * DAY),
    "without_help_within": (HOUR, 7 * DAY),
    "storm_within": (MINUTE, STALE),
}
"""The shortest and the longest time of each, in seconds: the store is asked for a week, for other hosts for an hour."""
KEPT = {"apart": (MINUTE, DAY), "fine": (DAY, 395 * DAY), "coarse": (DAY, 3660 * DAY)}
CLOSE_IT = "put it into a file of its own (password_file), or into ~/.pgpass, or: chmod o-r"


class StoreSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A database server: whose password stands in a file of its own, or which runs wait for longer than usual."""

    url: StorePlace
    password_file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="a file whose first line is the password; nobody else may read it"),
    ] = None
    patience: Annotated[
        Duration | None, usual("a run waits so long for a server that does not answer any more", PATIENCE)
    ] = None


class LimitsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is enough; what is left out is as docs/how-to/hold-it-back.md says."""

    cool_down: Annotated[
        Duration | None, usual("another run makes the same disruptive change of a target no sooner", USUAL.cool_down)
    ] = None
    most_in_run: Annotated[
        Count | None, usual("changes that users may notice, by one run on one host", USUAL.most_in_run)
    ] = None
    most_in_hour: Annotated[
        Count | None, usual("such changes by all runs on one host, within an hour", USUAL.most_in_hour)
    ] = None
    restart_every: Annotated[
        Duration | None,
        usual("the same disruptive change of a target is no cure if it is wanted again sooner", USUAL.restart_every),
    ] = None
    most_in_week: Annotated[
        Count | None, usual("the same disruptive change of a target within 7 days", USUAL.most_in_week)
    ] = None
    most_without_help: Annotated[
        Count | None,
        usual("runs of one runbook on one host that changed something and did not help", USUAL.most_without_help),
    ] = None
    without_help_within: Annotated[
        Duration | None, usual("in which time those runs are counted", USUAL.without_help_within)
    ] = None
    storm_hosts: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        usual("hosts that had the same disruptive change", USUAL.storm_hosts),
    ] = None
    storm_percent: Annotated[
        Annotated[float, Meta(gt=0, le=100)] | None,
        usual("percent of the hosts of this run, where that is more hosts", USUAL.storm_percent),
    ] = None
    storm_within: Annotated[Duration | None, usual("in which time those hosts are counted", USUAL.storm_within)] = None


class HistorySpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of readings of hosts, to look back and to forecast by.

    Each point is kept for `fine`, then hours (least, mean, largest) until they are `coarse` old; of a host no more than
    one reading in `every`.
    """

    keep: Annotated[bool, Meta(description="false: nothing is kept")] = True
    every: Annotated[Duration | None, usual("of a host one reading in this time is kept", KEEPING.apart)] = None
    fine: Annotated[Duration | None, usual("each reading is kept so long", KEEPING.fine)] = None
    coarse: Annotated[Duration | None, usual("hours of them are kept so long", KEEPING.coarse)] = None


@dataclass(frozen=True)
class StoreAt:
    """Where the store is: a URL or a file's path (empty: in the state directory), and the file of its password.

    `patience` is how long a run waits for a server that does not answer any more, in seconds.
    """

    place: str = ""
    password_file: Path | None = None
    patience: float = PATIENCE


def store_at(source: Source, folder: Path, spec: str | StoreSpec | None) -> StoreAt:
    """Where config.yaml puts the store; DocumentError where that is none, or its password lies open."""
    if spec is None:
        return StoreAt()
    place = spec if isinstance(spec, str) else spec.url
    where = source.where(("store",) if isinstance(spec, str) else ("store", "url"))
    if is_server(place):
        if holds_password(place) and _read_by_all(Path(source.name)):
            raise DocumentError([Problem(where, "everybody may read the password in this URL", CLOSE_IT)])
        return StoreAt(place) if isinstance(spec, str) else _server(source, folder, spec)
    if isinstance(spec, str) and is_file(place):
        return StoreAt(str(folder / Path(place).expanduser()))
    what = "is no store" if isinstance(spec, str) else "is no server"
    raise DocumentError([Problem(where, f"{shown(place)!r} {what}", STORES)])


def _server(source: Source, folder: Path, spec: StoreSpec) -> StoreAt:
    password = None if spec.password_file is None else _password_file(source, folder, spec.password_file)
    patience = PATIENCE if spec.patience is None else float(spec.patience)
    if patience > LONGEST:
        said = f"must be at most {format_duration(LONGEST)}, is {format_duration(patience)}"
        raise DocumentError([Problem(source.where(("store", "patience")), said)])
    return StoreAt(spec.url, password, patience)


def log_place(source: Source, spec: str | None) -> str:
    """The log that config.yaml names, empty for none; DocumentError where it is no log."""
    if spec is None or is_log(spec):
        return spec or ""
    raise DocumentError([Problem(source.where(("forward",)), f"{spec!r} is no log to forward to", LOGS)])


def limits_of(source: Source, spec: LimitsSpec | None) -> Limits:
    """The limits as config.yaml sets them; DocumentError with every one that makes no sense."""
    if spec is None:
        return Limits()
    given = {name: value for name, value in structs.asdict(spec).items() if value is not None}
    if problems := list(_senseless(source, given)):
        raise DocumentError(problems)
    return structs.replace(Limits(), **{name: float(v) if name in RANGES else v for name, v in given.items()})


def history_of(source: Source, spec: HistorySpec | None) -> Keeping | None:
    """How long config.yaml has the history kept, None for not at all; DocumentError with what makes no sense."""
    if spec is None or not spec.keep:
        return Keeping() if spec is None else None
    words = {"apart": "every", "fine": "fine", "coarse": "coarse"}
    given = {name: getattr(spec, word) for name, word in words.items()}
    found = structs.replace(Keeping(), **{name: float(v) for name, v in given.items() if v is not None})
    problems = []
    for name, (least, most) in KEPT.items():
        value = getattr(found, name)
        if not least <= value <= most:
            said = f"must be from {format_duration(least)} to {format_duration(most)}, is {format_duration(value)}"
            problems.append(Problem(source.where(("history", words[name])), said))
    if found.coarse < found.fine:
        problems.append(Problem(source.where_key(("history",)), "coarse is shorter than fine"))
    if problems:
        raise DocumentError(problems)
    return found


def _senseless(source: Source, given: dict[str, float]) -> Iterator[Problem]:
    for name, (least, most) in RANGES.items():
        value = given.get(name)
        if value is not None and not least <= value <= most:
            words = f"must be from {format_duration(least)} to {format_duration(most)}, is {format_duration(value)}"
            yield Problem(source.where(("limits", name)), words)


def _password_file(source: Source, folder: Path, given: str) -> Path:
    path, where = folder / Path(given).expanduser(), source.where(("store", "password_file"))
    if not path.is_file():
        raise DocumentError([Problem(where, f"there is no file {path}", "write its path, or make it")])
    if _read_by_all(path):
        raise DocumentError([Problem(where, f"everybody may read {path}", f"chmod o= {path}")])
    return path


def _read_by_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)
