"""What a command costs: wall, CPU time and memory of the command itself, and CPU time of the hosts that it reaches."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Protocol

from bench.farm import descendants

MOST_SECONDS = 300.0
QUIET_SECONDS = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
OWN_AND_REAPED = slice(11, 15)
"""utime, stime, cutime and cstime of proc(5), counted from the state, the first behind the name."""


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes. `cpu` counts the command and all that it waited for, `memory` the largest process of these.

    A process starts with the memory of its parent: below what Python itself needs (some 25 MiB) `memory` says nothing.
    `together` is the most that its processes held at once, `host_memory` that of the hosts; not a number: not measured.
    """

    wall: float
    cpu: float
    memory: int
    host_cpu: float = 0.0
    together: float = nan
    host_memory: float = nan
    forks: float = nan


class HostMeter(Protocol):
    """Measures the CPU time of hosts; `how` says how."""

    how: str

    def seconds(self) -> float:
        """CPU time that they have used until now."""

    def quiet(self) -> bool:
        """True when nothing but the servers themselves is left."""


class GroupMeter:
    """By a control group that holds nothing else: exact."""

    how = "a control group of their own"

    def __init__(self, folder: Path, servers: Sequence[int]) -> None:
        self._folder, self._servers = folder, len(servers)

    def seconds(self) -> float:
        nanoseconds = self._folder / "cpuacct.usage"
        if nanoseconds.exists():
            return int(nanoseconds.read_text(encoding="ascii")) / 1e9
        usage = (self._folder / "cpu.stat").read_text(encoding="ascii").split()
        return int(usage[usage.index("usage_usec") + 1]) / 1e6

    def quiet(self) -> bool:
        return len((self._folder / "cgroup.procs").read_text(encoding="ascii").split()) <= self._servers


class TreeMeter:
    """By the times of the servers and of what they have waited for, which the kernel shows in ticks of 10 ms."""

    how = "/proc of the servers, in ticks"

    def __init__(self, servers: Sequence[int]) -> None:
        self._servers = servers

    def seconds(self) -> float:
        stats = (Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split() for pid in self._servers)
        return sum(int(ticks) for stat in stats for ticks in stat[OWN_AND_REAPED]) / TICKS

    def quiet(self) -> bool:
        return not descendants(self._servers)


@contextmanager
def hosts_of(servers: Sequence[int]) -> Iterator[HostMeter]:
    """A meter of these processes and of all that they start: by a control group where one can be made."""
    for root in group_roots(Path("/proc/self/mounts").read_text(encoding="utf-8")):
        folder = root / f"farm-{os.getpid()}"
        with suppress(OSError):
            folder.mkdir()
            break
    else:
        yield TreeMeter(servers)
        return
    try:
        move(servers, folder)
        yield GroupMeter(folder, servers)
    finally:
        _remove(folder, root)


def _remove(folder: Path, root: Path) -> None:
    """Moves what is left to the root; what starts meanwhile is moved at the next turn."""
    deadline = time.monotonic() + QUIET_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        move((folder / "cgroup.procs").read_text(encoding="ascii").split(), root)
        with suppress(OSError):
            folder.rmdir()


def group_roots(mounts: str) -> list[Path]:
    """Where control groups that count CPU time are mounted: version 2, or version 1's cpuacct."""
    fields = [line.split() for line in mounts.splitlines()]
    second = [Path(place) for _, place, kind, *_ in fields if kind == "cgroup2"]
    first = [Path(place) for _, place, kind, options, *_ in fields if kind == "cgroup" and "cpuacct" in options]
    return second + first


def move(pids: Iterable[int | str], group: Path) -> None:
    """Moves processes into a control group; those that have gone are left out."""
    for pid in pids:
        with suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")


def measured(
    command: Sequence[str],
    output: Path,
    well: Sequence[int] = (0,),
    meter: HostMeter | None = None,
    most: float = MOST_SECONDS,
) -> Cost:
    """What a command costs; it reads nothing and writes to `output`, which begins with what it said on stderr.

    SystemExit where it takes longer than `most` seconds, or ends with another status than those that mean well.
    """
    before = meter.seconds() if meter else 0.0
    with output.open("wb") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
        ended = os.pidfd_open(process.pid)
        if not select.select([ended], [], [], most)[0]:
            process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        os.close(ended)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in well:
        said = output.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)[:200]} … ended with {process.returncode}:\n{said}")
    host_cpu = settled(meter) - before if meter else 0.0
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, host_cpu)


def settled(meter: HostMeter) -> float:
    """CPU time of the hosts once their sessions have ended; SystemExit when they do not."""
    deadline = time.monotonic() + QUIET_SECONDS
    while not meter.quiet():
        if time.monotonic() > deadline:
            raise SystemExit(f"the hosts are still at work {QUIET_SECONDS:.0f} s after the command")
        time.sleep(0.02)
    return meter.seconds()
