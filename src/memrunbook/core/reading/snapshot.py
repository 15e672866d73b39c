"""A snapshot: everything that was asked of one host at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Cut, Reading, Unavailable
from memrunbook.core.reading.rules import NO_RULES, HostRules

if TYPE_CHECKING:
    Readings = dict[str, Reading | Unavailable]
else:  # which type the reading of a fact has, only the catalogue knows: `record.decode` is told
    Readings = dict[str, Any]

NOT_READ = Unavailable("failed", "this fact was not read")


class Snapshot(Struct, frozen=True, tag=True, dict=True):
    """The readings of one host.

    `span` is the seconds that the samples cover, 0 for a single one; `seconds` what reading took, waiting apart.
    `fork_ok` is false when the host could not start a process; `lost` true when the connection ended while it was read.
    `no_root` is what sudo said when it was asked for root and gave none. `rules` are what config.yaml forbids here.
    """

    host: str
    identity: HostIdentity
    taken_at: Instant
    readings: Readings
    samples: int = 1
    span: float = 0.0
    seconds: float = 0.0
    fork_ok: bool = True
    lost: bool = False
    no_root: str = ""
    rules: HostRules = NO_RULES

    def reading(self, fact: str) -> Reading | Unavailable:
        """What a fact says, or why it says nothing."""
        return self.readings.get(fact, NOT_READ)

    def value(self, metric: str) -> Any:
        """The value of a metric ("memory.available_bytes"), or `Unavailable` with the reason."""
        return value_in(self.readings, metric)

    @property
    def aside(self) -> dict[str, Any]:
        """What was worked out of it and goes when it goes; no part of its value, never written."""
        return self.__dict__


def value_in(readings: Mapping[str, Reading | Unavailable], metric: str) -> Any:
    """The value of a metric in the readings of one host, or `Unavailable` with the reason."""
    name, _, path = metric.partition(".")
    reading = readings.get(name, NOT_READ)
    if path == "supported":
        return supported(reading)
    if isinstance(reading, Unavailable):
        return reading
    value: Any = reading
    for part in path.split("."):
        value = getattr(value, part, None)
        if value is None:
            return reading.unavailable.get(path, Unavailable("absent", "not offered by this host"))
    return value


def cut_in(readings: Mapping[str, Reading | Unavailable], metric: str) -> Cut | None:
    """What a list leaves out, None where it holds all there is (or is no list, or could not be had)."""
    name, _, path = metric.partition(".")
    reading = readings.get(name, NOT_READ)
    return None if isinstance(reading, Unavailable) else reading.cut.get(path)


def supported(reading: Reading | Unavailable) -> bool | Unavailable:
    """True when it was read, false when the host does not offer it, else unknown: unreadable is never asked away."""
    if not isinstance(reading, Unavailable):
        return True
    return False if reading.reason == "absent" else reading
