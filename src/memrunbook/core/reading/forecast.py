"""Whether the memory of a holder leaks, how fast, and when its limit is reached. Pure; no clock but that of the points.

The rules and why they are these: docs/decisions/0027-a-leak-rises-everywhere.md. Each life of a holder (from one
restart to the next) is a series of its own; their pairs are pooled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from memrunbook.core.reading import lives, trend
from memrunbook.core.reading.lives import Part
from memrunbook.core.reading.series import Observation
from memrunbook.core.reading.trend import LEAST_POINTS, SIGNIFICANT, Trend
from memrunbook.core.units import DAY, HOUR, MIB, MINUTE

Pattern = Literal[
    "leak", "too few", "too short", "too young", "falling", "no trend", "too little", "warm-up", "step", "saw-tooth",
    "daily",
]  # fmt: skip
"""How the series looks: a leak, or why it is not called one."""

LEAST_SECONDS = 30.0 * MINUTE
LEAST_SLOPE = 5.0 * MIB / HOUR
LEAST_GROWTH, LEAST_GROWTH_SHARE = 64.0 * MIB, 0.05
RAM_SHARE_AN_HOUR = 0.001
SOON_ENOUGH = 7.0 * DAY
"""Who reaches its own limit, or fills its host, within this time leaks, however small that is beside the RAM."""
STILL, GOES_ON, SLOWED = 0.4, 0.4, 0.6
LATE_Z = 2.0
LEAST_ORDER = 12
"""Of the 28 pairs of eight lows so many more must rise than fall: chance does that once in fourteen."""
FALL_NOISE, FALL_SHARE = 6.0, 0.3
RECENT = 3
GROWN_UP = 6.0 * HOUR
"""A run that is younger may still warm up: what takes hours to do so rises as straight as a leak until then."""
STRAIGHT, EVEN = 0.8, 0.5
ONSETS = ((0.5 * DAY, 3.0 * DAY), (1.0 * DAY, 3.0 * DAY), (2.0 * DAY, 3.0 * DAY))
"""A leak that began in the midst of a run: for how long it may have gone on, and how much must be known before it."""
MOSTLY = 0.8
"""Who has leaked for a while has more than in so much of the time: a look that costs little."""
USUAL_SHARE = 0.02
"""So much of what was before may lie above what is taken for usual there: single spikes."""


class Forecast(Struct, frozen=True, kw_only=True):
    """What the points say; sizes in bytes, slopes in bytes a second with the ends of their 95 % interval.

    `seconds` is how long the points are apart, all lives together; `level` is what the holder has now. Times to the
    limit are None where it has none, or does not leak; `latest_seconds` also where the slope may be 0.
    """

    pattern: Pattern
    points: int
    lives: int
    seconds: float
    level: float = 0.0
    growth: float = 0.0
    slope: float = 0.0
    low: float = 0.0
    high: float = 0.0
    limit: float | None = None
    limit_seconds: float | None = None
    earliest_seconds: float | None = None
    latest_seconds: float | None = None

    @property
    def leaks(self) -> bool:
        """True for a leak."""
        return self.pattern == "leak"


class _Bounds(NamedTuple):
    """What a holder grows into, in bytes: its own limit, the host's RAM, and what is left of that; None: not known."""

    limit: float | None
    ram: float | None
    room: float | None


def forecast(
    observations: Sequence[Observation],
    ram: float | None = None,
    *,
    began: float | None = None,
    room: float | None = None,
) -> Forecast:
    """Judges the points of one holder on a host with so much RAM, of which `room` is left.

    The newest life stands for itself where it has lived half as long as was usual; a younger one is judged together
    with those before it. `began` is when it began (seconds since 1970; None: before anything is known of it).
    """
    parts = lives.lives_of(observations)
    if not parts:
        return Forecast(pattern="too few", points=0, lives=0, seconds=0.0)
    # what was imported has no life and knows no limits; of the rest the newest decides, also that there is none now
    lived = [one for one in reversed(observations) if one.life] or observations[-1:]
    bounds = _Bounds(max(lived, key=lambda one: one.at).limit, ram, room)
    newest, young = parts[-1], began is not None and parts[-1][-1][0] - began < GROWN_UP
    if len(parts) == 1:
        return _alone(newest, bounds, young=young)
    before = sorted(lives.span_of(part) for part in parts[:-1])
    stands = len(newest) >= LEAST_POINTS and lives.span_of(newest) >= max(before[len(before) // 2] / 2, LEAST_SECONDS)
    if stands and not young:
        return _alone(newest, bounds)
    found = _judged(parts, bounds)
    short = max(map(lives.span_of, parts)) < GROWN_UP
    return structs.replace(found, pattern="warm-up") if found.leaks and short and not _straight(parts) else found


def _alone(part: Part, bounds: _Bounds, *, young: bool = False) -> Forecast:
    """One life by itself: as a whole, or from the moment at which it began to leak."""
    whole = _judged([part], bounds)
    if whole.leaks and young:
        return whole if _is_urgent(whole, part, bounds) else structs.replace(whole, pattern="too young")
    low = sum(value < whole.level for _, value in part) < MOSTLY * len(part)
    onsets = () if low or whole.pattern in ("leak", "too little") else ONSETS
    recent = (_since(part, *onset) for onset in onsets)
    found = (_judged([one], bounds) for one in recent if one and _is_even(one))
    return next((one for one in found if one.leaks), whole)


def _is_urgent(found: Forecast, part: Part, bounds: _Bounds) -> bool:
    """True where as much again as it gained is no more there: by then what warms up has slowed down."""
    left = [bounds.room] if bounds.room is not None else []
    left += [bounds.limit - found.level] if bounds.limit is not None else []
    return bool(left) and min(left) <= found.level - part[0][1] and _straight([part])


def _straight(parts: list[Part]) -> bool:
    early, late = _halves(parts)
    return late.slope >= STRAIGHT * early.slope


def _is_even(part: Part) -> bool:
    """True where each third rises: what lay flat, filled up and slows down again is no straight line."""
    points = lives.fewer([part])[0]
    third, whole = len(points) // 3, trend.slope(points)
    thirds = (points[:third], points[third:-third], points[-third:])
    return _straight([points]) and all(trend.slope(one) >= EVEN * whole for one in thirds)


def _since(part: Part, seconds: float, before: float) -> Part:
    """The last of a life, where it ends above all that was usual before; empty where it does not."""
    begin = part[-1][0] - seconds
    if begin - part[0][0] < before:
        return []
    earlier, late = [value for at, value in part if at < begin], [one for one in part if one[0] >= begin]
    usual = sorted(earlier)[int(len(earlier) * (1 - USUAL_SHARE))]
    end = sorted(value for at, value in late if at >= part[-1][0] - seconds / lives.STRETCHES)
    return late if end[len(end) // 4] > usual + max(LEAST_GROWTH, LEAST_GROWTH_SHARE * usual) else []


def _judged(parts: list[Part], bounds: _Bounds) -> Forecast:
    """The pattern of some lives, and what follows from it."""
    level = sorted(value for _, value in parts[-1][-RECENT:])[len(parts[-1][-RECENT:]) // 2]
    known = Forecast(
        pattern="too few",
        points=sum(map(len, parts)),
        lives=len(parts),
        seconds=sum(map(lives.span_of, parts)),
        level=level,
        limit=bounds.limit,
    )
    if known.points < LEAST_POINTS:
        return known
    if known.seconds < LEAST_SECONDS:
        return structs.replace(known, pattern="too short")
    if max(map(lives.range_of, parts)) <= LEAST_GROWTH:
        return structs.replace(known, pattern="too little")
    parts = [part for part in parts if len(part) > 1]
    daily = _same_hours(parts)
    if daily is not None and daily.z < SIGNIFICANT:
        return _with(known, daily, "falling" if daily.z <= -SIGNIFICANT else "daily", parts)
    prepared = _prepared(parts, daily)
    points, toothed = _floors(prepared)
    if toothed and sum(map(len, points)) < LEAST_POINTS:
        return structs.replace(known, pattern="saw-tooth")
    found, pattern = _shape(points)
    if (toothed and pattern == "no trend") or (pattern == "leak" and _goes_back(prepared)):
        pattern = "saw-tooth"
    judged = _with(known, found, pattern, parts)
    matters = pattern != "leak" or _matters(judged, parts, bounds)
    return judged if matters else structs.replace(judged, pattern="too little")


def _goes_back(parts: list[Part]) -> bool:
    longest = max(parts, key=lives.span_of)
    return len(longest) >= lives.MANY and trend.score(lives.lows_of(longest)) < LEAST_ORDER


def _same_hours(parts: list[Part]) -> Trend | None:
    """The trend between the same hours of the days; None before two days of one life are known.

    None too where so few hours were read that even a steady rise would be chance between them.
    """
    if len(parts) != 1 or lives.span_of(parts[0]) < 2 * DAY:
        return None
    hours = lives.hours_of(parts[0])
    found = trend.trend(hours)
    return None if found.slope > 0 and trend.most_of(hours) < SIGNIFICANT else found


def _prepared(parts: list[Part], daily: Trend | None) -> list[Part]:
    if daily is not None and lives.span_of(parts[0]) >= lives.SEVERAL_DAYS * DAY:
        parts = [lives.without_day(parts[0], daily.slope)]
    return lives.fewer(parts)


def _floors(parts: list[Part]) -> tuple[list[Part], bool]:
    """Where memory falls back again and again, the lows alone: a collector's saw-tooth leaks when its floor rises."""
    found, toothed = [], False
    for part in parts:
        steady = lives.steadied(part)
        growth = abs(trend.slope(steady)) * lives.span_of(steady)
        depth = max(FALL_NOISE * lives.noise_of(part), FALL_SHARE * growth)
        floors = lives.floors_of(steady, depth) if depth > 0 else []
        fell = len(floors) > 1
        toothed = toothed or fell
        found.append(floors if fell else part)
    return found, toothed


def _shape(parts: list[Part]) -> tuple[Trend, Pattern]:
    """A leak rises beyond chance, without its largest step too, and does not slow down in its second half."""
    whole = trend.trend(parts)
    if whole.z <= -SIGNIFICANT:
        return whole, "falling"
    if whole.z < SIGNIFICANT or whole.slope <= 0:
        return whole, "no trend"
    many, longest = sum(map(len, parts)) >= lives.MANY, max(parts, key=lives.span_of)
    within = trend.trend([piece for part in parts for piece in lives.split(lives.steadied(part))])
    if within.slope < GOES_ON * whole.slope or (many and within.z < SIGNIFICANT):
        return whole, "step"
    early, late = _halves(parts)
    slowed = late.slope < STILL * max(early.slope, whole.slope) or late.high < SLOWED * early.low
    if slowed or (many and late.z < LATE_Z) or (len(longest) >= lives.MANY and lives.levels_off(longest)):
        return whole, "warm-up"
    alike = lives.correlation_of(parts, whole.slope)
    whole = trend.trend(parts, alike) if alike else whole
    return whole, "leak" if whole.z >= SIGNIFICANT else "no trend"


def _halves(parts: list[Part]) -> tuple[Trend, Trend]:
    early = trend.trend([part[: (len(part) + 1) // 2] for part in parts])
    return early, trend.trend([part[len(part) // 2 :] for part in parts])


def _with(known: Forecast, found: Trend, pattern: Pattern, parts: list[Part]) -> Forecast:
    growth = found.slope * max(map(lives.span_of, parts), default=0.0)
    judged = structs.replace(known, pattern=pattern, growth=growth, slope=found.slope, low=found.low, high=found.high)
    if pattern != "leak" or known.limit is None:
        return judged
    room, since = max(known.limit - known.level, 0.0), _age_of_level(parts[-1])
    return structs.replace(
        judged,
        limit_seconds=max(room / found.slope - since, 0.0),
        earliest_seconds=max(room / found.high - since, 0.0),
        latest_seconds=max(room / found.low - since, 0.0) if found.low > 0 else None,
    )


def _age_of_level(part: Part) -> float:
    """How long ago what is taken for the level was measured: where readings are an hour apart that is an hour."""
    newest = part[-RECENT:]
    return newest[-1][0] - newest[len(newest) // 2][0]


def _matters(judged: Forecast, parts: list[Part], bounds: _Bounds) -> bool:
    """It is more than the noise of a healthy service: by its slope, by what it gained, beside the host or its limit."""
    first = parts[-1][0][1]
    if judged.slope < LEAST_SLOPE or judged.growth <= max(LEAST_GROWTH, LEAST_GROWTH_SHARE * first):
        return False
    full = [] if bounds.room is None else [max(bounds.room, 0.0) / judged.slope]
    full += [] if judged.limit_seconds is None else [judged.limit_seconds]
    soon = bool(full) and min(full) <= SOON_ENOUGH
    return soon or not bounds.ram or judged.slope >= RAM_SHARE_AN_HOUR * bounds.ram / HOUR
