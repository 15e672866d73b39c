"""What a diagnosis costs the host: processes started there beyond those of a login."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.shell import Shell

pytestmark = pytest.mark.kernel
MOST = 4


def started(guest: Guest) -> int:
    """Processes started since boot, read through a connection that is open already."""
    return int(guest.check("grep ^processes /proc/stat").split()[1])


def fewest(guest: Guest, act: Callable[[], object]) -> int:
    """The fewest processes that the guest started while something was done; others' timers only add to it."""
    counts = []
    for _ in range(3):
        before = started(guest)
        act()
        counts.append(started(guest) - before)
    return min(counts)


def test_a_diagnosis_starts_four_processes_at_most(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    operator = Operator(guest, tmp_path)
    files = guest.check("df --output=used / | tail -1")
    login = fewest(guest, lambda: Shell(guest.address).run("true"))
    diagnosis = fewest(guest, lambda: operator("diagnose"))
    assert diagnosis - login <= MOST, f"a login starts {login}, a diagnosis {diagnosis}"
    assert int(guest.check("df --output=used / | tail -1")) - int(files) < 1024, "nothing is left on the disk"
