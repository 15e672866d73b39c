from __future__ import annotations

import pytest

from memrunbook.linux.service import ServiceMemory, read_service
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
