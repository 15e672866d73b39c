"""What a diagnosis costs the host: processes, memory, time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.kernel.case import Case
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.shell import Shell

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


def fewest(guest: Guest, act: Callable[[], object], tries: int = 2) -> int:
    """The fewest processes that the guest started while something was done; others' timers only add to it."""
    counts = []
    for _ in range(tries):
        before = started(guest)
        act()
        counts.append(started(guest) - before)
    return min(counts)


def login(guest: Guest) -> None:
    """A login that runs `true`, by a connection of its own."""
    Shell(guest.address).run("true", seconds=SLOW_SECONDS)


def footprint(case: Case) -> None:
    """Holds a diagnosis of a host in trouble against its limits, and says the figures."""
    guest, operator = case.guest, case.operator
    a_login = fewest(guest, lambda: login(guest))
    processes = fewest(guest, lambda: operator("diagnose")) - a_login
    peak = _peak_kib(guest, lambda: operator("diagnose"))
    before = _took(lambda: login(guest))
    seconds = _took(lambda: operator("diagnose"))
    after = _took(lambda: login(guest))
    limit = LOGINS * (before + after) / 2 + SAMPLE_SECONDS
    case.say(
        f"footprint on a thrashing guest: {processes} processes started, shell peak {peak / 1024:.1f} MiB, diagnosis "
        f"{seconds:.1f} s; ssh true before {before:.1f} s, after {after:.1f} s: at most {limit:.1f} s"
    )
    assert processes <= MOST_IN_TROUBLE
    assert 0 < peak <= MOST_SHELL_KIB
    assert seconds <= limit


def _took(act: Callable[[], object]) -> float:
    before = time.monotonic()
    act()
    return time.monotonic() - before


def _peak_kib(guest: Guest, act: Callable[[], object]) -> int:
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
