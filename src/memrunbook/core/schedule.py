"""When a schedule fires: nominal times, their jitter, and which of them are due or missed by now. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from heapq import heappop, heappush
from itertools import islice
from typing import Literal, NamedTuple

from cronsim import CronSim, CronSimError
from msgspec import Struct

CatchUp = Literal["none", "last", "all"]
Oddity = Literal["", "moved", "first", "again"]
MINUTE, DAY = 60.0, 86_400.0
LOOK_BACK = 31 * DAY
"""Seconds: what was missed earlier than that is counted by nobody."""
MOST_CAUGHT_UP = 24
"""So many firings that were missed are carried out by `catch_up: all`, the latest ones."""
MOST_MISSED = 100
"""So many missed firings are told one by one, the latest ones; those before are one record."""
LONGEST_REPEAT = dt.timedelta(hours=3)
"""No place puts its clocks back by more."""
FIELDS = 5
LAST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC).timestamp()
"""Nothing fires from then on: what comes after it has no date any more."""


class Schedule(Struct, frozen=True, kw_only=True):
    """When something is done: a cron line in the time of a place, or every so many seconds since `anchor`.

    `jitter` and `misfire_grace` are in seconds; `begins` and `ends` (seconds since 1970) bound its nominal times, the
    end excluded. `zone` tells local time. Exactly one of `cron` and `every` is given.
    """

    name: str
    zone: dt.tzinfo
    cron: str = ""
    every: float = 0.0
    anchor: float = 0.0
    jitter: float = MINUTE
    misfire_grace: float = 5 * MINUTE
    catch_up: CatchUp = "none"
    begins: float | None = None
    ends: float | None = None


class Moment(NamedTuple):
    """One firing: its nominal time, when it really starts (jitter), and what clocks did to it; seconds since 1970."""

    schedule: str
    nominal: float
    starts: float
    oddity: Oddity = ""

    @property
    def id(self) -> str:
        """What tells this firing from any other, wherever it is looked at: the schedule and the nominal time in UTC."""
        return f"{self.schedule}@{dt.datetime.fromtimestamp(self.nominal, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


class Due(NamedTuple):
    """What is to be decided of a schedule now: firings to carry out, in order, and those that were missed.

    `before` counts the firings that were missed before those in `missed`.
    """

    run: tuple[Moment, ...] = ()
    missed: tuple[Moment, ...] = ()
    before: int = 0


def cron_problem(line: str) -> str:
    """What is wrong with a cron line, in words; empty where nothing is."""
    if line.startswith("@"):
        return "words with @ are not known here"
    fields = len(line.split())
    if fields != FIELDS:
        return f"it has {fields} field{'' if fields == 1 else 's'}, and five are needed"
    try:
        never = next(CronSim(line, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)), None) is None
    except CronSimError as error:
        return str(error).replace("Bad ", "there is no such ")
    except (ValueError, AssertionError, OverflowError):
        return "it cannot be read"
    return "no day is ever like that" if never else ""


def due(schedules: Sequence[Schedule], last_fired: Mapping[str, float], now: float) -> dict[str, Due]:
    """By name what is to be decided of each schedule now (seconds since 1970).

    `last_fired` says until when each was decided; one that is not in it is new, and has missed nothing. A time in the
    future was told by a clock that was wrong: then it begins now.
    """
    return {
        one.name: _due(one, max(min(last_fired[one.name], now), now - LOOK_BACK), now)
        for one in schedules
        if one.name in last_fired
    }


def next_firing(schedule: Schedule, after: float) -> Moment | None:
    """The next firing that starts later than a moment; None where there is none any more."""
    return next((one for one in moments(schedule, after - schedule.jitter) if one.starts > after), None)


def preview(schedule: Schedule, after: float, count: int) -> list[Moment]:
    """So many firings whose nominal times are at a moment or later."""
    return list(islice(moments(schedule, after - 1), count))


def moments(schedule: Schedule, after: float) -> Iterator[Moment]:
    """Every firing whose nominal time is later than a moment, in order; each once."""
    begin = after if schedule.begins is None else max(after, schedule.begins - 1)
    if begin >= LAST:
        return
    for nominal, oddity in _by_cron(schedule, begin) if schedule.cron else _by_interval(schedule, begin):
        if nominal >= (LAST if schedule.ends is None else min(schedule.ends, LAST)):
            return
        yield Moment(schedule.name, nominal, nominal + jitter_of(schedule, nominal), oddity)


def jitter_of(schedule: Schedule, nominal: float) -> float:
    """Whole seconds below the schedule's jitter: a hash, so that whoever asks for this firing is told the same."""
    if schedule.jitter < 1:
        return 0.0
    words = f"{schedule.name}@{nominal:.0f}".encode()
    return float(int.from_bytes(hashlib.sha256(words).digest()[:8]) % (int(schedule.jitter) + 1))


def _due(schedule: Schedule, since: float, now: float) -> Due:
    found: list[Moment] = []
    before = 0
    for one in moments(schedule, since - schedule.jitter - 1):
        if one.nominal > now:
            break
        if since < one.starts <= now:
            found.append(one)
            if len(found) > 2 * MOST_MISSED:
                before += len(found) - MOST_MISSED
                del found[:-MOST_MISSED]
    found.sort(key=lambda one: one.starts)
    wanted = _wanted(schedule, found, now)
    missed = found[: len(found) - wanted]
    before += max(0, len(missed) - MOST_MISSED)
    return Due(tuple(found[len(found) - wanted :]), tuple(missed[-MOST_MISSED:]), before)


def _wanted(schedule: Schedule, found: Sequence[Moment], now: float) -> int:
    """How many of the latest firings are carried out."""
    if not found:
        return 0
    if schedule.catch_up == "all":
        return min(len(found), MOST_CAUGHT_UP)
    return int(schedule.catch_up == "last" or now - found[-1].starts <= schedule.misfire_grace)


def _by_interval(schedule: Schedule, after: float) -> Iterator[tuple[float, Oddity]]:
    number = math.floor((after - schedule.anchor) / schedule.every) + 1
    while True:
        yield schedule.anchor + number * schedule.every, ""
        number += 1


def _by_cron(schedule: Schedule, after: float) -> Iterator[tuple[float, Oddity]]:
    """The rule of Debian's cron; the line is read on the wall, and the wall's times are looked up in the zone.

    A line with fixed hours and minutes fires once a day: a time that clocks leave out is the first moment after the
    gap, of one that they show twice the first counts. Any other follows the clock on the wall: what is left out is
    left out, what is there twice fires twice.
    """
    zone, fixed = schedule.zone, not any(field.startswith("*") for field in schedule.cron.split()[:2])
    start = dt.datetime.fromtimestamp(math.floor(after), zone).replace(tzinfo=None, fold=0)
    waiting: list[tuple[float, Oddity]] = []
    last = after
    for wall in _walls(schedule.cron, start - LONGEST_REPEAT):
        reached = wall.replace(tzinfo=zone).timestamp()
        while waiting and waiting[0][0] < reached:  # nothing that is earlier comes any more
            nominal, oddity = heappop(waiting)
            if nominal > last:
                last = nominal
                yield nominal, oddity
        for one in _shown(wall, zone, fixed=fixed):
            heappush(waiting, one)
    yield from ((nominal, oddity) for nominal, oddity in sorted(waiting) if nominal > last)


def _walls(line: str, start: dt.datetime) -> Iterator[dt.datetime]:
    """The times on the wall that a cron line means, as long as there are dates."""
    with suppress(OverflowError):
        yield from CronSim(line, start)


def _shown(wall: dt.datetime, zone: dt.tzinfo, *, fixed: bool) -> Iterator[tuple[float, Oddity]]:
    """The moments at which clocks show a time, as far as a line means them."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first < last:
        yield first, "first"
        if not fixed:
            yield last, "again"
    elif first == last:
        yield first, ""
    elif fixed:
        while not _exists(wall, zone):
            wall += dt.timedelta(minutes=1)
        yield wall.replace(tzinfo=zone).timestamp(), "moved"


def _exists(wall: dt.datetime, zone: dt.tzinfo) -> bool:
    return dt.datetime.fromtimestamp(wall.replace(tzinfo=zone).timestamp(), zone).replace(tzinfo=None, fold=0) == wall
