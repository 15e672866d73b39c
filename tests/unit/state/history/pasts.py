"""A history that tests turn the clock of, and what readings leave in it."""

from __future__ import annotations

from memrunbook.core.reading.series import Observation, Series
from memrunbook.state.history.past import HostPoints, StoredPast

NOW = 1_700_000_000.0


class Time:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


def one(value: float, at: float = NOW, life: str = "", name: str = "api", limit: float | None = None) -> Series:
    return Series("unit", name, "units.own_bytes", (Observation(at, value, life, limit),))


def reading(value: float, at: float = NOW, host: str = "web", machine: str = "m1") -> HostPoints:
    return HostPoints(host, machine, at, (one(value, at),))


def points(past: StoredPast, host: str = "web", machine: str = "", since: float = 0.0) -> list[tuple[float, float]]:
    found = past.series(host, machine, since)
    return [(point.at, point.value) for series in found for point in series.points]
