from __future__ import annotations

import pytest

from memrunbook.linux.service import ServiceMemory, charged, read_service, with_reclaimable, with_released
from memrunbook.linux.systemctl import blocks, number, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("4096", 4096),
        ("infinity", None),
        ("[not set]", None),
        ("18446744073709551615", None),
        ("99999999999999999999", None),
        ("-1", None),
        ("", None),
    ],
)
def test_a_number(text: str, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("1min 30s", 90.0),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("3us", 3e-6),
        ("2h", 7200.0),
        ("1d 1h", 90000.0),
        ("1w", 604800.0),
        ("1month", 2629800.0),
        ("1y", 31557600.0),
        ("infinity", None),
        ("1min soon", None),
        ("", None),
    ],
)
def test_a_span_of_time(text: str, value: float | None) -> None:
    assert seconds(text) == value


def test_blocks_are_apart_by_blank_lines() -> None:
    text = "warning: x\nId=a.service\nType=simple\n\nId=b.service\nText==\n \n\nno unit\nNo=Id\n"
    assert blocks(text) == [{"Id": "a.service", "Type": "simple"}, {"Id": "b.service", "Text": "="}]


@pytest.mark.parametrize(("restarts", "often"), [("", False), ("[not set]", False), ("2", False), ("3", True)])
def test_what_is_not_counted_is_not_often(restarts: str, *, often: bool) -> None:
    assert read_service({"Id": "a.service", "NRestarts": restarts}, ServiceMemory(), 10.0).restarted_often is often


def test_an_old_systemd_shows_less() -> None:
    service = read_service({"Id": "a.service"}, ServiceMemory(), 10.0)
    assert (service.active, service.failed, service.age_seconds, service.timeout_seconds) == (False, False, None, None)
    assert (service.can_start, service.can_stop, service.can_freeze, service.start_limit_hit) == (
        False,
        True,
        False,
        False,
    )
    assert (service.restarts, service.main_pid, service.memory_bytes) == (None, None, None)


def test_the_group_knows_memory_better_than_systemd() -> None:
    shown = {"Id": "a.service", "MemoryCurrent": "5"}
    assert read_service(shown, ServiceMemory(), 1.0).memory_bytes == 5
    assert read_service(shown, ServiceMemory(total=6), 1.0).memory_bytes == 6


@pytest.mark.parametrize(
    ("shown", "hit"),
    [
        ({"Result": "start-limit-hit"}, True),
        ({"ActiveState": "failed", "Restart": "always", "NRestarts": "5", "StartLimitBurst": "5"}, True),
        ({"ActiveState": "failed", "Restart": "always", "NRestarts": "4", "StartLimitBurst": "5"}, False),
        ({"ActiveState": "failed", "Restart": "always", "NRestarts": "4", "StartLimitBurst": "0"}, False),
        ({"ActiveState": "failed", "Restart": "always", "StartLimitBurst": "5"}, False),
        ({"ActiveState": "failed", "Restart": "no", "NRestarts": "5", "StartLimitBurst": "5"}, False),
        ({"ActiveState": "active", "Restart": "always", "NRestarts": "5", "StartLimitBurst": "5"}, False),
    ],
)
def test_a_service_that_was_started_too_often(shown: dict[str, str], *, hit: bool) -> None:
    assert read_service({"Id": "a.service", **shown}, ServiceMemory(), 1.0).start_limit_hit is hit


def test_who_stops_with_it_is_named_once() -> None:
    shown = {"Id": "a.service", "RequiredBy": "b.service c.target", "BoundBy": "b.service", "ConsistsOf": "d.service"}
    assert read_service(shown, ServiceMemory(), 1.0).dragged == "b.service c.target d.service"


def test_pacemaker_leaves_a_drop_in() -> None:
    path = "/run/systemd/system/a.service.d/50-pacemaker.conf"
    assert read_service({"Id": "a.service", "DropInPaths": f"/x/y.conf {path}"}, ServiceMemory(), 1.0).cluster_managed


@pytest.mark.parametrize(
    ("memory", "own"),
    [
        (ServiceMemory(), None),
        (ServiceMemory(anonymous=5), 5),
        (ServiceMemory(anonymous=5, swap=2), 7),
        (ServiceMemory(anonymous=5, swap=4, swap_cached=3), 6),
        (ServiceMemory(anonymous=5, swap=1, swap_cached=3), 5),
    ],
)
def test_what_only_the_service_can_give_back(memory: ServiceMemory, own: int | None) -> None:
    assert memory.own == own
    assert read_service({"Id": "a.service"}, memory, 1.0).own_bytes == own


PIPES_618 = {"total": 347, "anonymous": 3, "file": 1, "kernel": 343, "pagetables": 1, "slab_reclaimable": 1, "sock": 0}
PIPES_510 = {"total": 347, "anonymous": 3, "file": 1, "kernel_stack": 1, "percpu": 0, "sock": 0,
             "slab_reclaimable": 1, "slab_unreclaimable": 4}  # fmt: skip
SOCKETS = {"total": 400, "anonymous": 10, "file": 4, "kernel": 60, "sock": 320, "slab_reclaimable": 8}
TABLES = {"total": 150, "anonymous": 5, "file": 5, "kernel": 140, "pagetables": 130, "slab_reclaimable": 2}
DENTRIES = {"total": 900, "anonymous": 20, "file": 80, "kernel": 790, "slab_reclaimable": 780}
STACKS_419 = {
    "total": 60,
    "anonymous": 8,
    "file": 2,
    "kernel_stack": 40,
    "slab_reclaimable": 1,
    "slab_unreclaimable": 9,
}


@pytest.mark.parametrize(
    ("said", "own"),
    [
        (PIPES_618, 3 + 343 - 1),
        (PIPES_510, 3 + 343 - 1),
        (SOCKETS, 10 + 60 + 320 - 8),
        (TABLES, 5 + 140 - 2),
        (DENTRIES, 20 + 10),
        (STACKS_419, 8 + 40 + 9 + 1 - 1),
        ({"total": 9, "anonymous": 8, "file": 1}, 8),
        ({"total": 9, "file": 1, "kernel": 4}, None),
        ({"anonymous": 107, "swap": 248, "swap_cached": 163}, 107 + 248 - 163),
        ({"anonymous": 397, "swap": 256, "swap_cached": 173, "kernel": 9}, 480),
        ({"total": 80, "anonymous": 8, "file": 2, "swap": 9, "percpu": 7, "slab_reclaimable": 0}, 8 + 9 + 7),
    ],
)
def test_what_the_kernel_holds_for_a_service_is_its_own(said: dict[str, int], own: int | None) -> None:
    assert charged(said).own == own


@pytest.mark.parametrize(
    ("passing", "own"), [(0, 10), (200, 210), (10_000, 330)], ids=["files of a tmpfs", "in part", "a memfd"]
)
def test_shared_memory_is_its_own_where_it_goes_with_it(passing: int, own: int) -> None:
    memory = with_released(charged({"anonymous": 10, "shmem": 320}), passing)
    assert (memory.own, memory.held["shared_bytes"]) == (own, 320)
    assert with_released(ServiceMemory(anonymous=10), passing).own == 10


@pytest.mark.parametrize(
    ("memory", "reclaimable", "own"),
    [
        (ServiceMemory(total=347, anonymous=3, file=1), 100, 3 + 343 - 100),
        (ServiceMemory(total=347, anonymous=3, file=1), 500, 3),
        (ServiceMemory(total=347, anonymous=3, file=1), None, 3),
        (ServiceMemory(total=347, anonymous=3, file=1, swap=5), 100, 8),
        (ServiceMemory(total=347, anonymous=3), 100, 3),
        (ServiceMemory(total=4, anonymous=3, file=1), 100, 3),
        (ServiceMemory(total=347, anonymous=3, file=1, kernel=9, slab_reclaimable=2), 100, 10),
    ],
)
def test_cgroup_v1_leaves_the_kernel_what_is_in_no_line(
    memory: ServiceMemory, reclaimable: int | None, own: int
) -> None:
    assert with_reclaimable(memory, reclaimable).own == own
