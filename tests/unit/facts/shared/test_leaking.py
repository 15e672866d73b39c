"""What a fact leaves in the history is what it asks of it: each of them finds a leak in its own readings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.unit.facts.shared.pasts import AT, EVERY
from tests.unit.facts.shared.pasts import MEMORY as ROOMY
from tests.unit.facts.shared.test_leaks import GROUPS, LEAKY, PROCESS

from memrunbook import catalog
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import EarlierReadings, Reading
from memrunbook.core.reading.points import series_of
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import MIB
from memrunbook.facts.processes import Processes
from memrunbook.facts.slab import SlabCache, SlabReading
from memrunbook.facts.units import Units

changed = msgspec.structs.replace
READINGS = 100


def of_units(held: int) -> Reading:
    return Units(count=1, all=[changed(LEAKY, own_bytes=held)], suspects=[])


def of_groups(held: int) -> Reading:
    container, scope, _ = (changed(one, anonymous_bytes=held) for one in GROUPS.all)
    return changed(GROUPS, all=[container, changed(scope, path="/b")])


def of_processes(held: int) -> Reading:
    old = changed(PROCESS, anonymous_bytes=held, age_seconds=1e5)
    return Processes(seen=1, shown=1, all=[old], by_name=[])


def of_slab(held: int) -> Reading:
    caches = [SlabCache("filp", held, 1, 1, 1, 100.0, False)]
    return SlabReading(total_bytes=held, unreclaimable_bytes=held, caches=caches)


def of_memory(held: int) -> Reading:
    return changed(ROOMY, page_tables_bytes=held, percpu_bytes=held)


GROWING: dict[str, tuple[Callable[[int], Reading], int]] = {
    "units": (of_units, 1),
    "cgroups": (of_groups, 2),
    "processes": (of_processes, 1),
    "slab": (of_slab, 2),
    "memory": (of_memory, 2),
}
"""Their readings where they hold so much, and how many leaks that is."""


def left(fact: str, made: Callable[[int], Reading]) -> tuple[Series, ...]:
    """What readings of a host leave in the history whose memory grows by 5 MiB each."""
    found: dict[tuple[Any, str, str], list[Observation]] = defaultdict(list)
    for index in range(READINGS):
        at = Instant(AT - (READINGS - index) * EVERY, 0.0)
        snapshot = Snapshot("web", HostIdentity(boot_id="boot"), at, {fact: made((500 + 5 * index) * MIB)})
        for one in series_of(snapshot, catalog.facts()):
            found[one.kind, one.name, one.figure] += one.points
    return tuple(Series(*key, tuple(points)) for key, points in found.items())


def test_every_fact_that_recalls_is_among_them() -> None:
    assert {name for name, fact in catalog.facts().items() if fact.recall is not None} == set(GROWING)


@pytest.mark.parametrize("fact", GROWING)
def test_a_leak_is_found_in_what_its_own_readings_left(fact: str) -> None:
    made, count = GROWING[fact]
    now, recall = made((500 + 5 * READINGS) * MIB), catalog.facts()[fact].recall
    assert recall is not None
    told: Any = recall(now, EarlierReadings(AT, {"memory": ROOMY}, left(fact, made), boot="boot"))
    assert [one.readings for one in told.leaking] == [READINGS + 1] * count
