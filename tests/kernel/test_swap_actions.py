"""The actions on swap on a real kernel, in a guest with more memory than others have: half a gigabyte must stay."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.lab.configuration import ROOMY
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until
from tests.kernel.test_single_actions import Desk

from memrunbook.actions.cycle_swap import SCRIPT

pytestmark = pytest.mark.kernel
FILE = "/swapfile-runbook"
COLD_MIB = 100


@pytest.fixture
def desk(guest_in: Callable[..., Guest], tmp_path: Path) -> Desk:
    """A desk in front of an idle guest with 1.25 GiB of memory."""
    return Desk(guest_in("idle_healthy", ROOMY), tmp_path)


def swaps(guest: Guest) -> dict[str, tuple[int, int, int]]:
    """Size and use in MiB, and priority, of each swap device."""
    rows = [line.split() for line in guest.check("cat /proc/swaps").splitlines()[1:]]
    return {name: (int(size) >> 10, int(used) >> 10, int(priority)) for name, _, size, used, priority in rows}


def cool(guest: Guest) -> None:
    """A service whose memory goes to swap and is not asked for again."""
    guest.install("cold")
    guest.start_service("archive", "/usr/local/bin/cold 200")
    wait_until(lambda: sum(used for _, used, _ in swaps(guest).values()) > COLD_MIB, seconds=180, what="it is in swap")


def test_a_swap_file_is_added_and_cycled_and_taken_back(desk: Desk) -> None:
    guest = desk.guest
    change = desk.run("action: add_swap_file", "with: {size: 220 MiB}", allow=f"add_swap_file:{FILE}")
    assert swaps(guest) == {FILE: (219, 0, 10)}
    assert guest.check(f"stat -c '%a %U %s' {FILE}").split() == ["600", "root", str(220 << 20)]
    cool(guest)
    hurried = shlex.join(["sh", "-c", f'child() {{ ( exec "$@" ); }}\n{SCRIPT}', "sh", FILE, "10", "0"])
    stopped = guest.run(hurried)
    assert (stopped.status, "stays swap: it took longer than 0 s" in stopped.stderr) == (1, True), stopped
    assert swaps(guest)[FILE][2] == 10, "a swapoff that was stopped leaves it in use"
    desk.run("action: cycle_swap", f"with: {{device: {FILE}}}", allow=f"cycle_swap:{FILE}")
    assert swaps(guest) == {FILE: (219, 0, 10)}
    desk.undo(change)
    assert swaps(guest) == {}
    assert guest.run(f"test -e {FILE}").status != 0


def test_compressed_swap_is_set_up_and_taken_back_with_what_is_on_it(desk: Desk) -> None:
    change = desk.run("action: setup_zram", "with: {size: 300 MiB}", allow="setup_zram:zram")
    [(name, state)] = swaps(desk.guest).items()
    assert name.startswith("/dev/zram")
    assert state == (299, 0, 100)
    cool(desk.guest)
    desk.undo(change)
    assert swaps(desk.guest) == {}
    assert desk.guest.run(f"test -e /sys/block/{name.removeprefix('/dev/')}").status != 0
