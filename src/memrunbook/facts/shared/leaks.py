"""Who leaks, by all that is known of a host: what earlier readings say, with this one as the newest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from memrunbook.core.reading.fact import Doc, EarlierReadings, Reading, Unavailable
from memrunbook.core.reading.forecast import LEAST_SECONDS, Forecast, forecast
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Kind, Observation
from memrunbook.core.reading.trend import LEAST_POINTS
from memrunbook.core.units import Unit, format_duration
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.room import room_of

R = TypeVar("R", bound=Reading)
SPEED, SECONDS, BYTES = Unit.BYTES_PER_SECOND, Unit.SECONDS, Unit.BYTES
SOURCE = "the history"
BY_HISTORY = "leak by all that is known of them (Theil-Sen, Mann-Kendall); the most dangerous first"


class Leak(Struct, frozen=True, kw_only=True):
    """One that leaks: how fast, since when, and until when that goes well, if nothing changes.

    What the slope may be is its 95 % interval: `low` and `high`, and the earliest and latest times that follow.
    """

    name: Annotated[str, Doc("who leaks", source=SOURCE)]
    kind: Annotated[str, Doc("unit, container, cgroup, process or kernel", source=SOURCE)]
    own_bytes: Annotated[int, Doc("what it holds now", BYTES, SOURCE)]
    gained_bytes: Annotated[
        int, Doc("of this, gained in this run, within the 7 days that are asked for", BYTES, SOURCE)
    ]
    growth_bytes_per_second: Annotated[int, Doc("how fast it leaks", SPEED, SOURCE)]
    growth_low_bytes_per_second: Annotated[int, Doc("at least", SPEED, SOURCE)]
    growth_high_bytes_per_second: Annotated[int, Doc("at most", SPEED, SOURCE)]
    growth_share: Annotated[float, Doc("its part of all that leak, 0 to 1", Unit.RATIO, SOURCE)] = 1.0
    memory_percent: Annotated[float | None, Doc("what it holds, of the host's RAM", Unit.PERCENT, SOURCE)] = None
    known_seconds: Annotated[float, Doc("how long it has been known, gaps of restarts apart", SECONDS, SOURCE)]
    readings: Annotated[int, Doc("readings that this rests on", Unit.COUNT, SOURCE)]
    lives: Annotated[int, Doc("lives that this rests on, from one start to the next", Unit.COUNT, SOURCE)] = 1
    limit_bytes: Annotated[int | None, Doc("its own limit", BYTES, "MemoryMax, memory.max")] = None
    seconds_to_limit: Annotated[float | None, Doc("until it reaches that", SECONDS, SOURCE)] = None
    earliest_seconds_to_limit: Annotated[float | None, Doc("the earliest", SECONDS, SOURCE)] = None
    latest_seconds_to_limit: Annotated[float | None, Doc("the latest", SECONDS, SOURCE)] = None
    seconds_to_exhaustion: Annotated[
        float | None, Doc("until all leaks together have filled available memory and free swap", SECONDS, SOURCE)
    ] = None
    seconds_left: Annotated[float | None, Doc("until the first of both", SECONDS, SOURCE)] = None


Leaks = Annotated[list[Leak] | None, Doc(BY_HISTORY, source=SOURCE)]
"""The field of a reading that says who leaks."""


class MemoryHolder(NamedTuple):
    """One that holds memory now: bytes, the life that it is in, its own limit, and its name for people.

    `age` is how long this life has lasted, in seconds; None where nobody says so.
    """

    name: str
    bytes: int
    life: str
    limit: int | None = None
    label: str = ""
    age: float | None = None


def leaks_of(kind: Kind, figure: str, holders: Iterable[MemoryHolder], earlier: EarlierReadings) -> list[Leak]:
    """Those of the holders that leak, the one first that gains most of the RAM in a time.

    The time until the host is full is counted over the sum of all their slopes.
    """
    ram = getattr(earlier.readings.get("memory"), "total_bytes", None)
    past, room = dict(earlier.of(kind, figure)), room_of(earlier.readings)
    since = min((points[0].at for points in past.values() if points), default=earlier.at)
    judged = []
    for one in holders:
        now = Observation(earlier.at, float(one.bytes), one.life, None if one.limit is None else float(one.limit))
        points = [point for point in past.get(kept_name(one.name), ()) if point.at < earlier.at] + [now]
        found = forecast(points, ram, began=_began(one, points, earlier.at, since), room=room)
        if found.leaks:
            judged.append(_leak(kind, one, points, found, ram))
    return together(judged, room)


def _began(one: MemoryHolder, points: list[Observation], at: float, since: float) -> float | None:
    """When its life began: by its age, else by its first reading where others of the host were read before that."""
    first = next(point.at for point in points if point.life == _life(one, points))
    if one.age is not None:
        return min(at - one.age, first)
    return first if first > since else None


def _life(one: MemoryHolder, points: list[Observation]) -> str:
    """The life that it is in; where that could not be read now, the last that is known."""
    return one.life or next((point.life for point in reversed(points) if point.life), "")


def lacking(earlier: EarlierReadings, *figures: tuple[Kind, str]) -> Unavailable | None:
    """Why no growth can be told from any of these figures yet; None where enough is known, with this reading."""
    if earlier.problem:
        return Unavailable("failed", f"earlier readings of this host are not known: {earlier.problem}")
    wanted = set(figures)
    known = (one.points for one in earlier.series if (one.kind, one.figure) in wanted)
    times = {point.at for points in known for point in points if point.at < earlier.at} | {earlier.at}
    spanned = max(times) - min(times)
    if len(times) >= LEAST_POINTS and spanned >= LEAST_SECONDS:
        return None
    found = f"{len(times)} readings of this host are known" if len(times) > 1 else "only this reading is known"
    over = f", over {format_duration(spanned)}" if spanned else ""
    return Unavailable("not yet", f"no history yet: {found}{over}; 8 over 30 min are needed")


def untold(reading: R, problem: Unavailable) -> R:
    """The reading with why nobody can be told who leaks."""
    return msgspec.structs.replace(reading, unavailable={**reading.unavailable, "leaking": problem})


def _leak(kind: str, one: MemoryHolder, points: list[Observation], found: Forecast, ram: int | None) -> Leak:
    began = next(point.value for point in points if point.life == _life(one, points))
    return Leak(
        name=one.label or one.name,
        kind=kind,
        own_bytes=one.bytes,
        gained_bytes=max(one.bytes - int(began), 0),
        growth_bytes_per_second=int(found.slope),
        growth_low_bytes_per_second=int(found.low),
        growth_high_bytes_per_second=int(found.high),
        memory_percent=numbers.share(one.bytes, ram),
        known_seconds=found.seconds,
        readings=found.points,
        lives=found.lives,
        limit_bytes=None if found.limit is None else int(found.limit),
        seconds_to_limit=found.limit_seconds,
        earliest_seconds_to_limit=found.earliest_seconds,
        latest_seconds_to_limit=found.latest_seconds,
    )


def together(leaks: list[Leak], room: int | None) -> list[Leak]:
    """Leaks that hold no memory in common: the most dangerous first, with the time that all of them leave the host."""
    total = sum(one.growth_bytes_per_second for one in leaks)
    full = max(room, 0) / total if room is not None and total else None
    ranked = sorted(leaks, key=lambda one: one.growth_bytes_per_second * one.own_bytes, reverse=True)
    return [
        msgspec.structs.replace(
            one,
            growth_share=one.growth_bytes_per_second / total if total else 0.0,
            seconds_to_exhaustion=full,
            seconds_left=min((left for left in (one.seconds_to_limit, full) if left is not None), default=None),
        )
        for one in ranked
    ]
