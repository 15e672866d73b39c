"""The first look: what one reading says, and nothing of what it does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tests.golden import samples as s

from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB
from memrunbook.ui.first_look import first_look
from memrunbook.ui.layout import lay_out


def words(**readings: Any) -> str:
    snapshot = Snapshot("db7", HostIdentity(), s.TAKEN, cast("Any", readings))
    return "".join(span.text for content in lay_out([first_look(snapshot)], None) for span in content)


def reading(**fields: Any) -> Any:
    return SimpleNamespace(unavailable={}, **fields)


def event(victim: str, age: float | None) -> Any:
    return SimpleNamespace(victim=victim, age_seconds=age)


def process(pid: int, held: int, swap: int | None = None, unit: str = "") -> Any:
    return SimpleNamespace(pid=pid, name="java", anonymous_bytes=held, swap_bytes=swap, unit=unit)


def test_it_leads_with_available_memory_and_ends_with_the_largest_holder() -> None:
    full = reading(avg10=31.4, avg60=22.0)
    said = words(
        memory=reading(available_bytes=2 * GIB, available_percent=3.125),
        pressure=reading(full=full),
        swap=reading(total_bytes=8 * GIB, free_bytes=6 * GIB),
        oom=reading(events=[event("mysqld", 7200.0), event("java", 240.0), event("", 1.0), event("old", None)]),
        processes=reading(all=[process(7, GIB), process(42, GIB, 2 * GIB, "search-api.service")]),
    )
    assert said == (
        "db7  first look: 2.0 GiB available (3.1 %), PSI full avg10 31.4 %, avg60 22.0 %, "
        "6.0 GiB of 8.0 GiB swap free, java killed for memory 4 min ago, "
        "largest: java (pid 42) of search-api.service with 3.0 GiB"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert words(swap=reading(total_bytes=0), oom=reading(events=[event("java", None)])) == (
        "db7  first look: no swap, java killed for memory"
    )
    gone = Unavailable("denied", "permission denied")
    assert words(memory=gone, swap=gone, oom=gone, processes=gone) == "db7  first look: nothing could be read"
    assert words(processes=reading(all=[])) == "db7  first look: nothing could be read"
