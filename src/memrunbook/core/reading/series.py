"""What a holder of memory held, reading by reading: the points that the history keeps and forecasts rest on."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["host", "unit", "cgroup", "container", "process", "kernel"]
"""What holds the memory: the whole host, one of what runs on it, or its kernel (slab caches, percpu, page tables)."""


class Observation(Struct, frozen=True, array_like=True):
    """One point: when (seconds since 1970, UTC), and the value in the unit of its figure.

    `life` is the identity of the holder's run then (InvocationID, container id, "pid:start time"; the boot-id for host
    and kernel): a new one means that it began anew. `limit` is its own limit then, in the same unit; None where it had
    none, or none was known.
    """

    at: float
    value: float
    life: str = ""
    limit: float | None = None


class Series(Struct, frozen=True):
    """The points of one figure of one holder on one host, in the order of time.

    `figure` is the name of the metric that it was read from ("memory.available_bytes"; of units "units.anon_bytes").
    """

    kind: Kind
    name: str
    figure: str
    points: tuple[Observation, ...]
