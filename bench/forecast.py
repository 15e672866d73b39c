"""How often a leak is found, and what else is called one: `python -m bench.forecast [SERIES]`, deterministic.

Every kind is made anew from its seeds, 5 minutes apart over a day unless its name says more.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections import Counter
from functools import partial

from bench import shapes
from bench.shapes import EVERY, START, Kind, observed
from memrunbook.core.reading.forecast import Forecast, forecast
from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY, HOUR, MIB, MINUTE


def leak(seed: random.Random, speed: float, base: float, noise: float = 0.05, days: float = 1.0) -> list[Observation]:
    """So many MiB an hour on top of a base in MiB."""
    return observed(seed, lambda at: base + speed * at / HOUR, noise, days)


def spiked(seed: random.Random) -> list[Observation]:
    """A leak of 60 MiB/h with one spike in a hundred points."""
    points = leak(seed, 60.0, 1024.0)
    return [Observation(p.at, p.value + (800 * MIB if seed.random() < 0.01 else 0), p.life) for p in points]


def gaps(seed: random.Random) -> list[Observation]:
    """A leak of 30 MiB/h, of which a third of the readings and three hours are missing."""
    return [p for p in leak(seed, 30.0, 600.0) if seed.random() > 0.33 and not 8 < (p.at - START) / HOUR < 11]


def stairs(seed: random.Random) -> list[Observation]:
    """Grows by 100 MiB every two to three hours, and not in between."""
    tread = seed.uniform(2.0, 3.0) * HOUR
    return observed(seed, lambda at: 700.0 + 100.0 * (at // tread), 0.01)


def rising_floor(seed: random.Random) -> list[Observation]:
    """A collector's saw-tooth whose floor rises by 20 MiB/h."""
    tooth, high, phase = seed.uniform(0.5, 2.0) * HOUR, seed.uniform(150, 600), seed.random()
    return observed(seed, lambda at: 600 + 20 * at / HOUR + high * ((at / tooth + phase) % 1.0), 0.01)


def restarted(seed: random.Random) -> list[Observation]:
    """A leak of 60 MiB/h that is restarted about every six hours."""
    life = seed.uniform(4.0, 7.0) * HOUR
    return observed(seed, lambda at: 500 + 60 * (at % life) / HOUR, 0.02, 2.0, lambda at: str(at // life))


def restarted_often(seed: random.Random) -> list[Observation]:
    """A leak of 300 MiB/h that never lives for more than half an hour."""
    life = 29.0 * MINUTE
    return observed(seed, lambda at: 500 + 300 * (at % life) / HOUR, 0.01, 1.0, lambda at: str(at // life))


def daily_leak(seed: random.Random) -> list[Observation]:
    """A leak of 20 MiB/h on a daily round, known for seven days."""
    swing = seed.uniform(100, 400)
    return observed(seed, lambda at: 1500 + 20 * at / HOUR - swing * math.cos(2 * math.pi * at / DAY), 0.02, 7.0)


def warm_up(seed: random.Random) -> list[Observation]:
    """Fills its caches within hours, then stays: exponentially."""
    base, gain = seed.uniform(200, 2048), seed.uniform(100, 2000)
    slow = seed.uniform(0.2, 3.0) * HOUR
    return observed(seed, lambda at: base + gain * (1 - math.exp(-at / slow)), seed.uniform(0.0, 0.05))


def logarithmic(seed: random.Random) -> list[Observation]:
    """Warms up ever more slowly."""
    base, gain, slow = seed.uniform(200, 2048), seed.uniform(50, 300), seed.uniform(0.1, 1.5) * HOUR
    return observed(seed, lambda at: base + gain * math.log1p(at / slow), seed.uniform(0.0, 0.05))


def saw_tooth(seed: random.Random) -> list[Observation]:
    """Fills up and falls back to the same floor, every quarter of an hour to every eight hours."""
    base, high = seed.uniform(200, 2048), seed.uniform(100, 2000)
    tooth, phase = math.exp(seed.uniform(math.log(0.25), math.log(8.0))) * HOUR, seed.random()
    return observed(seed, lambda at: base + high * ((at / tooth + phase) % 1.0), seed.uniform(0.0, 0.05))


def step(seed: random.Random) -> list[Observation]:
    """One step, at any time."""
    base, high, when = seed.uniform(200, 2048), seed.uniform(70, 2000), seed.uniform(0.05, 0.95) * DAY
    return observed(seed, lambda at: base + (high if at >= when else 0.0), seed.uniform(0.0, 0.05))


def two_steps(seed: random.Random) -> list[Observation]:
    """Two steps up."""
    first, second = (seed.uniform(0.05, 0.95) * DAY for _ in range(2))
    return observed(seed, lambda at: 800.0 + 300 * (at >= first) + 300 * (at >= second), seed.uniform(0.0, 0.05))


def flat(seed: random.Random) -> list[Observation]:
    """Flat with noise."""
    return observed(seed, lambda _: seed.uniform(0, 0) + 1500.0, 0.05)


def falling(seed: random.Random) -> list[Observation]:
    """Falls."""
    return observed(seed, lambda at: 1500.0 - 20 * at / HOUR, 0.05)


def daily(seed: random.Random) -> list[Observation]:
    """A daily round, known for two to seven days, up to any hour."""
    base, swing = seed.uniform(300, 2048), seed.uniform(0.1, 0.6)
    phase = seed.random()
    return observed(
        seed,
        lambda at: base * (1 + swing * math.sin(2 * math.pi * (at / DAY + phase))),
        seed.uniform(0.0, 0.05),
        seed.uniform(2.0, 7.0),
    )


def wandering(seed: random.Random) -> list[Observation]:
    """Each value near the one before (correlation 0.95), with no aim."""
    now, points = 0.0, []
    for index in range(288):
        now = 0.95 * now + seed.gauss(0.0, 30.0)
        points.append(Observation(START + index * EVERY, (1200 + now) * MIB, "1"))
    return points


def warm_lives(seed: random.Random) -> list[Observation]:
    """Restarted every four to eight hours, warms up each time and stays."""
    life = seed.uniform(4.0, 8.0) * HOUR
    return observed(
        seed, lambda at: 500 + 400 * (1 - math.exp(-(at % life) / (0.5 * HOUR))), 0.02, 2.0, lambda at: str(at // life)
    )


LEAKS: dict[str, Kind] = {
    **{
        f"leak of 10 MiB/h on {base} MiB, noise 5 %": partial(leak, speed=10.0, base=base)
        for base in (200, 512, 1024, 1536, 2048, 3072, 4096)
    },
    "leak of 10 MiB/h on 4096 MiB, two days": lambda seed: leak(seed, 10.0, 4096, days=2.0),
    "leak of 60 MiB/h on 4096 MiB": lambda seed: leak(seed, 60.0, 4096),
    "leak of 60 MiB/h with spikes": spiked,
    "leak of 30 MiB/h with gaps": gaps,
    "stairs that go on": stairs,
    "saw-tooth with a rising floor": rising_floor,
    "restarted every 4 to 7 h, 60 MiB/h": restarted,
    "restarted every half hour, 300 MiB/h": restarted_often,
    "leak of 20 MiB/h on a daily round, 7 d": daily_leak,
    "began 14 h ago, after days of flat": partial(shapes.late_leak, hours=14.0),
    "began 26 h ago, on office hours": shapes.late_leak_in_office,
    "20 MiB/h, read every 10 min, 1 to 7 d": shapes.coarse,
    "20 MiB/h, read at any moment": shapes.irregular_leak,
    "40 MiB/h, the clock set back": shapes.leak_set_back,
    "warms up for an hour and leaks 40 MiB/h": shapes.warm_then_leak,
    "restarted every 10 to 30 h, 40 MiB/h": shapes.long_lives,
}
OTHERS: dict[str, Kind] = {
    "warm-up": warm_up,
    "warm-up, logarithmic": logarithmic,
    "saw-tooth": saw_tooth,
    "one step": step,
    "two steps": two_steps,
    "flat": flat,
    "falling": falling,
    "daily round, 2 to 7 d": daily,
    "wandering": wandering,
    "warm-up in every life": warm_lives,
    "warm-up, in its first hour": shapes.young_warm_up,
    "warm-up, 0.5 to 24 h after its start": shapes.warm_up_any_moment,
    "even fill of a cache, in the first 6 h": shapes.filling_evenly,
    "fill of a cache over a day, later": shapes.day_long_fill,
    "deployed each night, warm-up of hours": shapes.deployed_nightly,
    "restarted after days, warms up": shapes.restarted_once,
    "short lives that warm up": shapes.warm_short_lives,
    "office hours, 1 to 7 d": shapes.office_hours,
    "working week, up to Tuesday": shapes.working_week,
    "flat for days, then a cache fills": shapes.filled_later,
    "warm-up, read at any moment": shapes.irregular,
    "warm-up, the clock set back": shapes.warm_up_set_back,
}
IN_DOUBT: dict[str, Kind] = {
    "even fill of a cache, half full": shapes.half_filled,
    "began 1 h ago, after days of flat": partial(shapes.late_leak, hours=1.0),
    "began 8 h ago, after days of flat": partial(shapes.late_leak, hours=8.0),
    "three steps": shapes.three_steps,
    "part of a day of office hours": shapes.part_of_a_day,
    "wave of a week, 2 to 7 d": shapes.weekly_wave,
}
"""What no rule could tell by so little: neither is asked for."""


def patterns(make: Kind, count: int) -> Counter[str]:
    """How often each pattern was seen in so many series."""
    return Counter(judged(make(random.Random(seed))).pattern for seed in range(count))


def judged(points: list[Observation]) -> Forecast:
    """As services are judged: systemd says when the newest run began."""
    return forecast(points, began=min(point.at for point in points if point.life == points[-1].life))


def main(count: int) -> None:
    """Prints the rates."""
    began = time.perf_counter()
    for title, group in (
        ("found of leaks", LEAKS),
        ("called a leak of others", OTHERS),
        ("called a leak where nobody can know", IN_DOUBT),
    ):
        print(f"{title}, {count} series each")
        for name, make in group.items():
            found = patterns(make, count)
            rest = ", ".join(f"{pattern} {number}" for pattern, number in found.most_common() if pattern != "leak")
            print(f"  {name:42} {100 * found['leak'] / count:6.1f} %  {rest}")
    kinds = len(LEAKS) + len(OTHERS) + len(IN_DOUBT)
    print(f"{(time.perf_counter() - began) * 1000 / count / kinds:.1f} ms a series, made and judged")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
