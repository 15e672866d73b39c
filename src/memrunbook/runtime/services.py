"""Writes the service policy into the units of a snapshot, so that conditions can speak of it."""

from __future__ import annotations

from typing import Any

import msgspec

from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot

LISTS = {"units": ("all", "growing", "suspects", "leaking"), "oom": ("victim_units",)}


def with_policy(snapshot: Snapshot, policy: ServicePolicy) -> Snapshot:
    """The snapshot with each unit's policy filled in, as it is at the moment of the snapshot."""
    readings = {
        name: _filled(name, reading, policy, snapshot.taken_at.utc) for name, reading in snapshot.readings.items()
    }
    return msgspec.structs.replace(snapshot, readings=readings)


def _filled(name: str, reading: Reading | Unavailable, policy: ServicePolicy, now: float) -> Reading | Unavailable:
    if name not in LISTS or isinstance(reading, Unavailable) or not policy.services:
        return reading
    known = [field for field in LISTS[name] if hasattr(reading, field)]
    lists: dict[str, Any] = {field: _units(getattr(reading, field), policy, now) for field in known}
    return msgspec.structs.replace(reading, **lists)


def _units(units: Any, policy: ServicePolicy, now: float) -> Any:
    filled = [msgspec.structs.replace(unit, policy=policy.unit(unit.name, now)) for unit in units or ()]
    return type(units)(filled) if units is not None else None
