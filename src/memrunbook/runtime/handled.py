"""Marks past events that an earlier run has dealt with: an OOM kill in the log does not un-happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot

# By host name and machine-id (clones share the latter): until when (seconds since 1970) a resolved run has dealt with
# what happened there.
Handled = Mapping[tuple[str, str], float]
LISTS = ("events", "failures", "victim_units")


def with_handled(snapshot: Snapshot, handled: Handled) -> Snapshot:
    """The snapshot whose OOM events and allocation failures carry `handled`."""
    until = handled.get((snapshot.host, snapshot.identity.machine_id))
    reading = snapshot.readings.get("oom")
    if until is None or reading is None or isinstance(reading, Unavailable):
        return snapshot
    age = snapshot.taken_at.utc - until
    lists: dict[str, Any] = {name: _marked(getattr(reading, name), age) for name in LISTS if hasattr(reading, name)}
    readings = {**snapshot.readings, "oom": msgspec.structs.replace(reading, **lists)}
    return msgspec.structs.replace(snapshot, readings=readings)


def _marked(events: Any, age: float) -> Any:
    marked = [msgspec.structs.replace(event, handled=_age(event) > age) for event in events or ()]
    return None if events is None else type(events)(marked)


def _age(event: Any) -> float:
    """How long ago it happened, in seconds; what bears no time counts as just now."""
    age = getattr(event, "kill_age_seconds", None)
    return float((event.age_seconds if age is None else age) or 0.0)
