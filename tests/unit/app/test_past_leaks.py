"""What the history says of leaks is what the next reading would say: nobody twice, and all fill the host together."""

from __future__ import annotations

import pytest

from memrunbook.app.past_leaks import past_leaks
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY, GIB, HOUR, MIB

POD = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12345678_1234_1234_1234_123456789abc.slice"
ROOM, ROSE = 6.0 * GIB, 60 * MIB


def leaking(kind: Kind, name: str, figure: str) -> Series:
    times = [1e9 + number * 900 for number in range(2 * 96)]
    return Series(kind, name, figure, tuple(Observation(at, 5e8 + (at - 1e9) / HOUR * ROSE, "1") for at in times))


def hosts(*series: Series) -> list[Series]:
    newest = series[0].points[-1].at
    room = (Observation(newest, ROOM, "b", 16.0 * GIB),)
    return [*series, Series("host", "", "memory.available_bytes", room)]


def hours_left(*series: Series) -> dict[tuple[str, str], float]:
    found = past_leaks(hosts(*series))
    return {(name, figure): round((one.seconds_to_exhaustion or 0) / HOUR) for (_, name, figure), one in found.items()}


@pytest.mark.parametrize(
    "both",
    [
        (("container", "docker:1", "cgroups.own_bytes"), ("cgroup", "/system.slice/a.scope", "cgroups.own_bytes")),
        (("kernel", "", "memory.percpu_bytes"), ("kernel", "", "memory.page_tables_bytes")),
    ],
)
def test_those_that_hold_no_memory_in_common_fill_the_host_together(both: tuple[tuple[Kind, str, str], ...]) -> None:
    alone = ROOM / ROSE
    assert hours_left(leaking(*both[0])) == {both[0][1:]: round(alone)}
    assert hours_left(*(leaking(*one) for one in both)) == {one[1:]: round(alone / 2) for one in both}


def test_a_slice_leaks_with_what_is_in_it_and_a_pod_with_its_containers() -> None:
    figure = "cgroups.own_bytes"
    series = [
        leaking("container", "kubernetes:1", figure),
        *(leaking("cgroup", name, figure) for name in ("/kubepods.slice", "/user.slice/user-0.slice", POD)),
    ]
    assert hours_left(*series) == {("kubernetes:1", figure): 102, (POD, figure): 102}


def test_nothing_leaks_for_longer_than_a_reading_is_held_against() -> None:
    old = leaking("unit", "a.service", "units.own_bytes")
    new = Series("unit", "b.service", "units.own_bytes", (Observation(old.points[-1].at + 8 * DAY, 1.0, "1"),))
    assert past_leaks(hosts(old, new)) == {}
