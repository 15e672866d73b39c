"""What a diagnosis costs a host at rest; while it thrashes it is measured with the scenario `swap_thrash`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.footprint import MOST, fewest, login
from tests.kernel.lab.guest import Guest

pytestmark = pytest.mark.kernel
MOST_KIB_LEFT = 1024


def test_a_diagnosis_starts_four_processes_at_most(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    operator = Operator(guest, tmp_path)
    files = guest.check("df --output=used / | tail -1")
    a_login = fewest(guest, lambda: login(guest))
    diagnosis = fewest(guest, lambda: operator("diagnose"))
    assert diagnosis - a_login <= MOST, f"a login starts {a_login}, a diagnosis {diagnosis}"
    assert int(guest.check("df --output=used / | tail -1")) - int(files) < MOST_KIB_LEFT, "nothing is left on the disk"
