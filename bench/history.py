"""What the history costs: 1,000 hosts read every five minutes for 90 days. `python -m bench.history [FOLDER]`.

The rows of the past are made in bulk, packed as the history packs them; the rounds at the end are written and asked for
as a command does; times are CPU. Nothing here is a test: what it prints stands in docs/explanation/performance.md.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY, HOUR
from memrunbook.state.history.file import HistoryFile
from memrunbook.state.history.past import HostPoints, StoredPast
from memrunbook.state.history.points import MILLISECONDS, key, pack_coarse, pack_fine

HOSTS = int(os.environ.get("BENCH_HOSTS", "1000"))
DAYS, FINE_DAYS, EVERY = 90, 14, 300
NOW = 1_800_000_000 // 3600 * 3600.0
HOST_FIGURES, KERNEL, UNITS, GROUPS, PROCESSES = 15, 14, 25, 8, 10
"""Series of a host: its own figures, kernel memory, two a service, two a group, processes."""
GIB = 1 << 30


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = Path(folder) / "history.sqlite"
        past = StoredPast(HistoryFile(path, lambda: NOW), lambda: NOW)
        began = time.monotonic()
        for begin in range(0, HOSTS, 100):
            past.remember([reading(number, NOW - DAY * DAYS - 1) for number in range(begin, min(HOSTS, begin + 100))])
        count = fill(path)
        slots = len(reading(0, NOW).series)
        print(f"{HOSTS} hosts, {slots} series each; {count:,} rows in {time.monotonic() - began:.0f} s")
        print(f"size: {path.stat().st_size / GIB:.2f} GiB, {path.stat().st_size / HOSTS / (1 << 20):.2f} MiB a host")
        rounds(past)
        queries(past)


def series(number: int, at: float) -> Iterator[Series]:
    """The series of a host with one point each."""
    chosen = random.Random(number * 1_000_003 + int(at))

    def one(kind: Kind, name: str, figure: str, life: str, limit: float | None = None) -> Series:
        return Series(kind, name, figure, (Observation(at, float(chosen.randrange(GIB)), life, limit),))

    boot = f"{number:08x}-8c19-4dab-9a9e-0d0f4e6f9c51"
    yield from (one("host", "", f"memory.figure_{figure}_bytes", boot, 64.0 * GIB) for figure in range(HOST_FIGURES))
    yield from (one("kernel", f"kmalloc-{figure}", "slab.cache_bytes", boot) for figure in range(KERNEL))
    for unit in range(UNITS):
        for figure in ("own", "memory"):
            yield one("unit", f"some-service-{unit}.service", f"units.{figure}_bytes", f"{number:016x}{unit:016x}")
    for group in range(GROUPS):
        for figure in ("own", "usage"):
            yield one("container", f"docker:{number:032x}{group:032x}", f"cgroups.{figure}_bytes", f"{group:064x}")
    yield from (
        one("process", f"java:{1000 + pid}", "processes.own_bytes", f"{pid}:123456") for pid in range(PROCESSES)
    )


def reading(number: int, at: float) -> HostPoints:
    return HostPoints(f"host-{number:04d}.example", f"{number:032x}", at, tuple(series(number, at)))


def fill(path: Path) -> int:
    """The rows that 90 days leave: fine ones of the last 14, hours before; how many."""
    connection = sqlite3.connect(path, isolation_level=None)
    slots = range(len(reading(0, NOW).series))
    lasting = slots[: len(slots) - PROCESSES]
    fine = [pack_fine({slot: random.random() * GIB for slot in slots}) for _ in range(200)]
    coarse = [pack_coarse({slot: (1.0, random.random() * GIB, 2.0 * GIB) for slot in lasting}) for _ in range(200)]
    count = 0
    owners = [owner for (owner,) in connection.execute("SELECT id FROM history_hosts ORDER BY id")]
    for owner in owners:
        first, middle = NOW - DAYS * DAY, NOW - FINE_DAYS * DAY
        hours = ((key(owner, int(first + n * HOUR) * MILLISECONDS, coarse=True), coarse[n % 200])
                 for n in range((DAYS - FINE_DAYS) * 24))  # fmt: skip
        readings = ((key(owner, int(middle + n * EVERY) * MILLISECONDS, coarse=False), fine[n % 200])
                    for n in range(FINE_DAYS * 288))  # fmt: skip
        connection.execute("BEGIN")
        connection.execute(
            "DELETE FROM history_readings WHERE at >= ? AND at < ?",
            (key(owner, 0, coarse=False), key(owner + 1, 0, coarse=False)),
        )
        for rows in (readings, hours):
            count += connection.executemany("INSERT INTO history_readings (at, points) VALUES (?, ?)", rows).rowcount
        connection.execute("UPDATE history_hosts SET folded = ? WHERE id = ?", (int(middle) * MILLISECONDS, owner))
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return count


def rounds(past: StoredPast) -> None:
    """Every host is read again, at once or each in a command of its own; and an hour passes for all."""
    for what, at in (("one round", NOW + 300), ("another", NOW + 600)):
        batch = [reading(number, at) for number in range(HOSTS)]
        print(f"write, {what} of all hosts in one command: {timed(partial(past.remember, batch)):.2f} s")
    single = [
        timed(lambda number=number: past.remember([reading(number, NOW + 900)]))
        for number in range(0, HOSTS, max(1, HOSTS // 50))
    ]
    print(
        f"write, one host in one command: median {statistics.median(single) * 1000:.1f} ms,"
        f" most {max(single) * 1000:.1f} ms"
    )
    later = StoredPast(past.database, lambda: NOW + HOUR)
    batch = [reading(number, NOW + HOUR) for number in range(HOSTS)]
    print(f"write, a round in which an hour of each host is folded: {timed(lambda: later.remember(batch)):.2f} s")


def queries(past: StoredPast) -> None:
    for what, days in (("a day", 1), ("14 days", 14), ("90 days", 90)):
        took = [
            timed(lambda n=n, d=days: past.series(f"host-{n:04d}.example", "", NOW - d * DAY))
            for n in range(0, HOSTS, max(1, HOSTS // 10))
        ]
        print(f"query, all series of one host, {what}: median {statistics.median(took) * 1000:.0f} ms")


def timed(what: Callable[[], object]) -> float:
    """Seconds of CPU: other work on the machine is not counted."""
    began = time.process_time()
    what()
    return time.process_time() - began


if __name__ == "__main__":
    main()
