"""What a diagnosis costs the host, at rest and while it thrashes: processes, memory, time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.shell import Shell
from tests.kernel.matrix import FIGURE

pytestmark = pytest.mark.kernel
MOST, MOST_IN_TROUBLE = 4, 6
"""Processes beyond those of a login; where something is wrong there are questions about suspects as well."""
MOST_SHELL_KIB = 8 * 1024
SAMPLE_SECONDS = 10
LOGINS = 3
"""A diagnosis takes at most as long as this many logins, and its sample."""
SLOW_SECONDS = 300
_PEAKS = "for p in $(pgrep -fx 'sh -s'); do grep VmHWM /proc/$p/status; done"


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


def login(guest: Guest) -> None:
    Shell(guest.address).run("true", seconds=SLOW_SECONDS)


def took(act: Callable[[], object]) -> float:
    """How many seconds something took."""
    before = time.monotonic()
    act()
    return time.monotonic() - before


def peak_kib(guest: Guest, act: Callable[[], object]) -> int:
    """The most memory that our shell on the guest held while something was done there."""
    peaks = [0]
    with ThreadPoolExecutor(1) as thread:
        acting = thread.submit(act)
        while not acting.done():
            rows = guest.run(_PEAKS, seconds=SLOW_SECONDS).stdout.splitlines()
            peaks += [int(row.split()[1]) for row in rows]
            time.sleep(0.2)  # between two looks; the loop ends with what is watched
    acting.result()
    return max(peaks)


def test_a_diagnosis_starts_four_processes_at_most(guest_in: Callable[[str], Guest], tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    operator = Operator(guest, tmp_path)
    files = guest.check("df --output=used / | tail -1")
    a_login = fewest(guest, lambda: login(guest))
    diagnosis = fewest(guest, lambda: operator("diagnose"))
    assert diagnosis - a_login <= MOST, f"a login starts {a_login}, a diagnosis {diagnosis}"
    assert int(guest.check("df --output=used / | tail -1")) - int(files) < 1024, "nothing is left on the disk"


def test_a_diagnosis_of_a_thrashing_host_stays_small_and_quick(
    guest_in: Callable[[str], Guest], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    guest = guest_in("swap_thrash")
    operator = Operator(guest, tmp_path)
    a_login = fewest(guest, lambda: login(guest))
    processes = fewest(guest, lambda: operator("diagnose")) - a_login
    peak = peak_kib(guest, lambda: operator("diagnose"))
    before = took(lambda: login(guest))
    seconds = took(lambda: operator("diagnose"))
    after = took(lambda: login(guest))
    limit = LOGINS * (before + after) / 2 + SAMPLE_SECONDS
    record_property(
        FIGURE,
        f"footprint on a thrashing guest: {processes} processes started, shell peak {peak / 1024:.1f} MiB, diagnosis "
        f"{seconds:.1f} s; ssh true before {before:.1f} s, after {after:.1f} s: at most {limit:.1f} s",
    )
    assert processes <= MOST_IN_TROUBLE
    assert 0 < peak <= MOST_SHELL_KIB
    assert seconds <= limit
