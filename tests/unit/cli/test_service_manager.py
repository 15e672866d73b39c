from __future__ import annotations

import socket
from pathlib import Path

import pytest

from memrunbook.cli.service_manager import ServiceManager


def test_it_is_told_what_there_is_to_tell(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        of = ServiceManager.of({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}, 7)
        assert of.watchdog == 30.0
        of.ready("3 schedules")
        of.alive("fine")
        of.stopping()
        assert [manager.recv(99) for _ in range(3)] == [
            b"READY=1\nSTATUS=3 schedules", b"WATCHDOG=1\nSTATUS=fine", b"STOPPING=1",
        ]  # fmt: skip
        of.reloading()
        assert manager.recv(99).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


def test_one_with_an_abstract_address_is_reached(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{tmp_path}")
        ServiceManager(f"@{tmp_path}").stopping()
        assert manager.recv(99) == b"STOPPING=1"


@pytest.mark.timeout(20)
def test_one_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        for _ in range(2000):
            ServiceManager(str(tmp_path / "notify")).alive()


@pytest.mark.parametrize("address", ["", "relative", "/nonexistent/notify"])
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    ServiceManager(address).stopping()


def test_a_watchdog_of_another_process_is_none() -> None:
    assert ServiceManager.of({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "8"}, 7).watchdog == 0.0
    assert ServiceManager.of({"WATCHDOG_USEC": "soon"}, 7).watchdog == 0.0
