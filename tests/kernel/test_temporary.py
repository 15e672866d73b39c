"""What the host takes back by itself, and what a failed proof takes back, with a real systemd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until

pytestmark = pytest.mark.kernel
HEAD = """
apiVersion: memrunbook/v1
name: temporary
title: A change for a while
sample: {count: 2, every: 1s}
checks:
  - {id: always, name: It always applies, when: memory.total_bytes > 0, severity: warning}
incident: checks.always
resolved: {that: sysctl.vm.swappiness == -1}
steps:
"""
SYSCTL = """
  - id: swap-less
    name: Swap less for a while
    action: set_sysctl
    with: {key: vm.swappiness, value: 7, for: 20s}
"""
UNPROVEN = """
  - id: keep-names
    name: Keep names longer, which proves nothing
    action: set_sysctl
    with: {key: vm.vfs_cache_pressure, value: 90}
    verify: {that: memory.total_bytes == 0, within: 3s}
"""
FREEZE = """
  - id: freeze
    name: Freeze a service for a while
    action: freeze_unit
    with: {unit: napper.service, for: 60s}
"""


def swappiness(guest: Guest) -> int:
    return int(guest.check("cat /proc/sys/vm/swappiness"))


def written(folder: Path, steps: str) -> str:
    path = folder / "temporary.yaml"
    path.write_text(HEAD + steps)
    return str(path)


def test_the_host_takes_a_sysctl_back_by_itself(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    operator = Operator(guest, tmp_path)
    before = swappiness(guest)
    run = operator("run", written(tmp_path, SYSCTL), "--yes", "--json")
    assert run.states() == {"swap-less": "done"}, run.host
    assert swappiness(guest) == 7
    wait_until(lambda: swappiness(guest) == before, seconds=90, what="the host to take the value back")
    failed = operator("run", written(tmp_path, UNPROVEN), "--yes", "--json")
    assert failed.states() == {"keep-names": "undone"}, failed.host
    assert int(guest.check("cat /proc/sys/vm/vfs_cache_pressure")) == 100
    assert swappiness(guest) == before


def test_a_frozen_service_thaws_by_itself(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    guest.start_service("napper", "/bin/sleep infinity")
    operator = Operator(guest, tmp_path)
    run = operator("run", written(tmp_path, FREEZE), "--allow", "freeze_unit:napper.service", "--json")
    assert run.states() == {"freeze": "done"}, run.host

    def state() -> str:
        return guest.check("systemctl show --property=FreezerState --value napper.service").strip()

    assert state() == "frozen"
    wait_until(lambda: state() == "running", seconds=150, what="the service to thaw")
