"""A service that leaks, with hours of history, and the window that services.yaml gives it: preventive-maintenance
restarts it while the window is open, tells of it while it is not, and leaves another one without a window alone.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Ended, Operator
from tests.kernel.lab.guest import Guest

from memrunbook.app.stored import Stored
from memrunbook.core.reading.series import Observation, Series

pytestmark = pytest.mark.kernel
AGING, NEGLECTED = "aging.service", "neglected.service"
FILL_MIB, LIMIT_MIB, KIB_A_SECOND = 96, 144, 6
FIGURE, EVERY, READINGS = "units.own_bytes", 120.0, 120
"""Four hours of readings: 84 MiB of growth, and more than is needed of a first life that is nearly full."""
SERVICES = """
services:
  - unit: {unit}
    restart: yes
    window: {{from: "{begin}", until: "{end}", zone: UTC}}
"""
RUN = ("run", "preventive-maintenance", "--parameter", "gained=32MiB", "--allow", f"restart_unit:{AGING}", "--json")


def window(folder: Path, opens: float, closes: float) -> None:
    """Gives the service a window, in seconds from now; one of each day."""
    begin, end = (dt.datetime.fromtimestamp(time.time() + at, dt.UTC).strftime("%H:%M") for at in (opens, closes))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "services.yaml").write_text(SERVICES.format(unit=AGING, begin=begin, end=end))


def life(guest: Guest, unit: str) -> str:
    return guest.check(f"systemctl show --property=InvocationID --value {unit}").strip()


def remember(guest: Guest, folder: Path) -> None:
    """Hours of readings before the one that is there, at the rate at which the services leak."""
    past = Stored(folder / "state").past()
    (host,), machine = past.hosts(), guest.check("printf %s $(cat /etc/machine-id) | sha256sum").split()[0][:32]
    for one in past.series(host, machine, 0.0):
        if one.figure == FIGURE and one.name in (AGING, NEGLECTED):
            last = one.points[-1]
            assert last.limit == LIMIT_MIB << 20
            earlier = [
                Observation(last.at - age, last.value - KIB_A_SECOND * 1024 * age, last.life, last.limit)
                for age in (EVERY * place for place in range(READINGS, 0, -1))
            ]
            past.keep(host, machine, [Series(one.kind, one.name, one.figure, tuple(earlier))])
    past.close()


def firing(run: Ended) -> set[str]:
    """The checks of the run that fired."""
    records = (line["record"] for line in run.lines if line.get("event") == "recorded")
    diagnosis = next(record["diagnosis"] for record in records if "diagnosis" in record)
    return {one["check"] for one in diagnosis["findings"] if one["state"] == "firing"}


def test_a_leak_is_restarted_in_its_window_and_told_of_outside_of_it(
    guest_in: Callable[[str], Guest], tmp_path: Path
) -> None:
    guest = guest_in("idle_healthy")
    guest.install("leak")
    for unit in (AGING, NEGLECTED):
        command = f"/usr/local/bin/leak -f {FILL_MIB} -r {KIB_A_SECOND}"
        guest.start_service(unit.removesuffix(".service"), command, f"MemoryMax={LIMIT_MIB}M", "MemorySwapMax=0")
    lives = {unit: life(guest, unit) for unit in (AGING, NEGLECTED)}
    operator = Operator(guest, tmp_path)
    window(tmp_path, 12 * 3600, 13 * 3600)
    looked = operator("diagnose", "--quick")
    assert looked.status in (0, 8, 9), looked
    remember(guest, tmp_path)

    closed = operator(*RUN)
    assert {"too-late", "exhaustion"} <= firing(closed), closed
    assert "restart-due" not in firing(closed)
    assert {unit: life(guest, unit) for unit in lives} == lives

    window(tmp_path, -600, 1800)
    opened = operator(*RUN)
    assert "restart-due" in firing(opened)
    assert life(guest, AGING) != lives[AGING]
    assert life(guest, NEGLECTED) == lives[NEGLECTED]
    assert opened.host["outcome"] == "resolved"
    assert operator.intact()
