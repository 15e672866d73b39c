"""A snapshot gives values by their metric's name, or the reason why there is none."""

from __future__ import annotations

import pytest
from tests.lab.small import Full, Memory, Pressure, snapshot

from memrunbook.core.reading.fact import Cut, Unavailable
from memrunbook.core.reading.snapshot import NOT_READ, cut_in, supported

ABSENT, DENIED = Unavailable("absent", "no such file"), Unavailable("denied", "permission denied")
NOW = snapshot(
    memory=Memory(available_bytes=0, unavailable={"available_percent": DENIED}),
    pressure=Pressure(full=Full(percent=1.5)),
    units=DENIED,
    vmstat=ABSENT,
)


def test_values_are_found_by_their_path() -> None:
    assert NOW.value("memory.available_bytes") == 0
    assert NOW.value("pressure.full.percent") == 1.5


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("memory.available_percent", DENIED),
        ("memory.zones", Unavailable("absent", "not offered by this host")),
        ("memory.nonsense", Unavailable("absent", "not offered by this host")),
        ("pressure.full.avg10", Unavailable("absent", "not offered by this host")),
        ("units.all", DENIED),
        ("swap.used_bytes", NOT_READ),
    ],
)
def test_what_is_missing_says_why(metric: str, why: Unavailable) -> None:
    assert NOW.value(metric) == why


def test_only_what_is_absent_is_not_supported() -> None:
    assert NOW.value("memory.supported") is True
    assert NOW.value("vmstat.supported") is False
    assert NOW.value("units.supported") == DENIED
    assert supported(ABSENT) is False
    assert NOW.reading("swap") == NOT_READ


def test_a_list_may_say_that_it_is_cut() -> None:
    cut = Cut("the largest 2 of 7", below={"rss_bytes": 10.0})
    now = snapshot(memory=Memory(cut={"zones": cut}), units=DENIED)
    assert cut_in(now.readings, "memory.zones") == cut
    assert cut_in(now.readings, "memory.available_bytes") is None
    assert cut_in(now.readings, "units.all") is None
    assert cut_in(now.readings, "swap.all") is None
