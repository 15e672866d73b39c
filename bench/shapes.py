"""Series of memory as hosts show them, made up: rhythms, warm-ups at any moment, leaks that begin late."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY, HOUR, MIB, MINUTE

START = 1_700_000_000.0
EVERY = 5.0 * MINUTE
Shape = Callable[[float], float]
"""MiB at a time in seconds from the first point."""
Points = list[Observation]
Kind = Callable[[random.Random], Points]


def observed(  # noqa: PLR0913, PLR0917  a series in one line
    seed: random.Random,
    shape: Shape,
    noise: float,
    days: float = 1.0,
    life: Callable[[float], str] = lambda _: "1",
    every: float = EVERY,
) -> Points:
    """A shape, read with a noise of so much of its first value."""
    base = shape(0.0)
    times = [index * every for index in range(int(days * DAY / every))]
    return [
        Observation(START + at, max(0.0, shape(at) + seed.gauss(0.0, noise * base)) * MIB, life(at)) for at in times
    ]


def filled(at: float, gain: float, slow: float) -> float:
    """What a cache has taken after a time, of `gain`: exponentially."""
    return gain * (1 - math.exp(-max(at, 0.0) / slow))


def sizes(seed: random.Random) -> tuple[float, float]:
    """A base and what comes on top of it, in MiB."""
    return seed.uniform(200, 2048), seed.uniform(100, 2000)


def office(at: float) -> float:
    """Load of a working day: none at night, most at one o'clock."""
    hour = at % DAY / HOUR
    return math.sin(math.pi * (hour - 8) / 10) if 8 <= hour <= 18 else 0.0


def young_warm_up(seed: random.Random) -> Points:
    """Warms up, looked at in the first hour."""
    (base, gain), slow = sizes(seed), seed.uniform(0.1, 3.0) * HOUR
    known, every = seed.uniform(35, 60) * MINUTE, seed.choice([MINUTE, 2 * MINUTE, EVERY])
    return observed(
        seed, lambda at: base + filled(at, gain, slow), seed.uniform(0.0, 0.05), known / DAY, lambda _: "1", every
    )


def warm_up_any_moment(seed: random.Random) -> Points:
    """Warms up, looked at after half an hour to a day."""
    (base, gain), slow = sizes(seed), seed.uniform(0.2, 3.0) * HOUR
    return observed(seed, lambda at: base + filled(at, gain, slow), seed.uniform(0.0, 0.05), seed.uniform(0.5, 24) / 24)


def filling_evenly(seed: random.Random) -> Points:
    """Fills its cache by an even load within four hours, then stays; looked at in the first six."""
    (base, gain), slow = sizes(seed), seed.uniform(0.3, 4.0) * HOUR
    return observed(
        seed, lambda at: base + gain * min(at / slow, 1.0), seed.uniform(0.0, 0.05), seed.uniform(0.5, 6) / 24
    )


def day_long_fill(seed: random.Random) -> Points:
    """A cache that fills to its cap within 8 to 24 hours, looked at later."""
    (base, gain), slow = sizes(seed), seed.uniform(8, 24) * HOUR
    return observed(seed, lambda at: base + gain * min(at / slow, 1.0), seed.uniform(0.0, 0.03), seed.uniform(1.5, 4))


def deployed_nightly(seed: random.Random) -> Points:
    """Begins anew each night and warms up for hours; looked at at any hour."""
    (base, gain), slow = sizes(seed), seed.uniform(1.0, 4.0) * HOUR
    days = seed.randint(1, 6) + seed.uniform(0.02, 1.0)
    return observed(
        seed, lambda at: base + filled(at % DAY, gain, slow), seed.uniform(0.0, 0.05), days, lambda at: str(at // DAY)
    )


def restarted_once(seed: random.Random) -> Points:
    """Was warm for days, was restarted, and warms up."""
    (base, gain), slow, when = sizes(seed), seed.uniform(0.5, 4.0) * HOUR, seed.uniform(1.0, 6.0) * DAY
    days = when / DAY + seed.uniform(0.5, 8.0) / 24
    return observed(
        seed,
        lambda at: base + (gain if at < when else filled(at - when, gain, slow)),
        seed.uniform(0.0, 0.05),
        days,
        lambda at: str(at >= when),
    )


def warm_short_lives(seed: random.Random) -> Points:
    """Restarted every 35 to 90 minutes, and warms up each time."""
    life, slow = seed.uniform(35, 90) * MINUTE, seed.uniform(0.1, 0.6) * HOUR
    return observed(seed, lambda at: 500 + filled(at % life, 400, slow), 0.02, 1.0, lambda at: str(at // life))


def office_hours(seed: random.Random) -> Points:
    """Load in office hours, known for one to seven days."""
    (base, gain), phase = sizes(seed), seed.uniform(0, DAY)
    return observed(seed, lambda at: base + gain * office(at + phase), seed.uniform(0.0, 0.05), seed.uniform(1.0, 7.0))


def working_week(seed: random.Random) -> Points:
    """A daily round that is low at week-ends; known from its end to any hour of the next days."""
    (base, gain), begin = sizes(seed), seed.uniform(3.0, 5.9) * DAY

    def load(at: float) -> float:
        day = (begin + at) / DAY
        return base + gain * (0.2 if day % 7 >= 5 else 1.0) * (1 - math.cos(2 * math.pi * (day - 0.2))) / 2

    return observed(seed, load, seed.uniform(0.0, 0.05), 7 - begin / DAY + seed.uniform(0.0, 2.0))


def filled_later(seed: random.Random) -> Points:
    """Flat for days, then more load comes and a cache fills; looked at within the day after."""
    when, slow, gain = seed.uniform(1.0, 6.0) * DAY, seed.uniform(0.3, 3.0) * HOUR, seed.uniform(100, 2000)
    days = when / DAY + seed.uniform(0.02, 1.0)
    return observed(seed, lambda at: 1000 + filled(at - when, gain, slow), seed.uniform(0.0, 0.05), days)


def irregular(seed: random.Random) -> Points:
    """Warms up, read 24 to 200 times a day at any moment."""
    (base, gain), slow = sizes(seed), seed.uniform(0.2, 3.0) * HOUR
    every = observed(seed, lambda at: base + filled(at, gain, slow), seed.uniform(0.0, 0.05), every=MINUTE)
    return sorted(seed.sample(every, seed.randint(24, 200)), key=lambda one: one.at)


def set_back(seed: random.Random, points: Points, most: float) -> Points:
    """The same, but its clock is set back by up to so many hours."""
    when, hours = seed.randint(50, 250), seed.uniform(0.1, most)
    return points[:when] + [Observation(one.at - hours * HOUR, one.value, one.life) for one in points[when:]]


def warm_up_set_back(seed: random.Random) -> Points:
    """Warms up while the clock is set back."""
    (base, gain), slow = sizes(seed), seed.uniform(0.2, 3.0) * HOUR
    return set_back(seed, observed(seed, lambda at: base + filled(at, gain, slow), 0.02), 12.0)


def late_leak(seed: random.Random, hours: float) -> Points:
    """Flat for three to six days, then a leak of 60 to 600 MiB/h without a restart, for so many hours."""
    when, speed = seed.uniform(3.1, 6.0) * DAY, seed.uniform(60, 600)
    return observed(seed, lambda at: 1000 + speed * max(at - when, 0.0) / HOUR, 0.02, when / DAY + hours / 24)


def late_leak_in_office(seed: random.Random) -> Points:
    """A leak of 60 to 300 MiB/h that began 26 hours ago, on office hours."""
    when, speed, phase = seed.uniform(3.1, 6.0) * DAY, seed.uniform(60, 300), seed.uniform(0, DAY)
    return observed(
        seed,
        lambda at: 800 + 200 * office(at + phase) + speed * max(at - when, 0.0) / HOUR,
        0.02,
        when / DAY + 26 / 24,
    )


def coarse(seed: random.Random) -> Points:
    """A leak of 20 MiB/h, read every ten minutes as sysstat does, for one to seven days."""
    base = seed.uniform(200, 1000)
    return observed(seed, lambda at: base + 20 * at / HOUR, 0.05, seed.uniform(1.0, 7.0), every=10 * MINUTE)


def irregular_leak(seed: random.Random) -> Points:
    """A leak of 20 MiB/h, read 60 to 200 times a day at any moment."""
    every = observed(seed, lambda at: 500 + 20 * at / HOUR, 0.05, every=MINUTE)
    return sorted(seed.sample(every, seed.randint(60, 200)), key=lambda one: one.at)


def leak_set_back(seed: random.Random) -> Points:
    """A leak of 40 MiB/h while the clock is set back by up to an hour."""
    return set_back(seed, observed(seed, lambda at: 500 + 40 * at / HOUR, 0.02), 1.0)


def warm_then_leak(seed: random.Random) -> Points:
    """Warms up for an hour and leaks 40 MiB/h all the time."""
    return observed(seed, lambda at: 500 + filled(at, 300, 0.5 * HOUR) + 40 * at / HOUR, 0.02)


def long_lives(seed: random.Random) -> Points:
    """A leak of 40 MiB/h that is restarted every 10 to 30 hours, for five days."""
    life = seed.uniform(10, 30) * HOUR
    return observed(seed, lambda at: 500 + 40 * (at % life) / HOUR, 0.02, 5.0, lambda at: str(at // life))


def half_filled(seed: random.Random) -> Points:
    """A cache that fills evenly for 12 to 24 hours, looked at when it is half full: nobody can tell."""
    (base, gain), slow = sizes(seed), seed.uniform(12, 24) * HOUR
    return observed(seed, lambda at: base + gain * at / slow, 0.02, slow / DAY / 2)


def weekly_wave(seed: random.Random) -> Points:
    """A wave of a week without days in it, known for two to seven days."""
    base, swing, phase = seed.uniform(200, 2048), seed.uniform(0.1, 0.6), seed.random()
    return observed(
        seed, lambda at: base * (1 + swing * math.sin(2 * math.pi * (at / DAY / 7 + phase))), 0.02, seed.uniform(2, 7)
    )


def three_steps(seed: random.Random) -> Points:
    """Three equal steps up at any times of a day."""
    times = [seed.uniform(0.03, 0.97) * DAY for _ in range(3)]
    return observed(seed, lambda at: 800.0 + 200 * sum(at >= when for when in times), seed.uniform(0.0, 0.05))


def part_of_a_day(seed: random.Random) -> Points:
    """Office hours, of which less than a day is known."""
    (base, gain), phase = sizes(seed), seed.uniform(0, DAY)
    return observed(seed, lambda at: base + gain * office(at + phase), seed.uniform(0.0, 0.05), seed.uniform(0.25, 1.0))
