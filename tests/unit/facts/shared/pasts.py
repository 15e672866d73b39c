"""Histories of what holds memory, made up: two days of readings before AT, five minutes apart."""

from __future__ import annotations

import random

from memrunbook.core.reading.fact import EarlierReadings
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import GIB, HOUR, MIB, MINUTE
from memrunbook.facts.memory import MemoryReading
from memrunbook.facts.swap import SwapReading

AT, EVERY, COUNT = 1.7e9, 5.0 * MINUTE, 576
MEMORY = MemoryReading(
    total_bytes=16 * GIB,
    free_bytes=8 * GIB,
    free_percent=50.0,
    available_bytes=10 * GIB,
    available_percent=62.5,
    available_estimated=False,
    used_bytes=6 * GIB,
    used_percent=37.5,
    unaccounted_bytes=0,
    unaccounted_percent=0.0,
    droppable_bytes=0,
    droppable_percent=0.0,
)


def grown(  # noqa: PLR0913, PLR0917  a series in one line
    kind: Kind, name: str, figure: str, last: float, speed: float, life: str, limit: float | None = None
) -> Series:
    """A holder that grew by so many MiB an hour up to `last` MiB at AT, with a little noise."""
    noise = random.Random(name)
    points = (
        Observation(
            AT - ago * EVERY,
            (last - speed * ago * EVERY / HOUR + noise.gauss(0, 2)) * MIB,
            life,
            None if limit is None else limit * MIB,
        )
        for ago in range(COUNT, 0, -1)
    )
    return Series(kind, name, figure, tuple(points))


def now(*series: Series, problem: str = "") -> EarlierReadings:
    """A reading at AT on a host with 16 GiB, 10 of them available, and no swap."""
    swap = SwapReading(total_bytes=0, used_bytes=0, free_bytes=0, zram_only=False, devices=[])
    return EarlierReadings(AT, {"memory": MEMORY, "swap": swap}, series, problem, "boot")
