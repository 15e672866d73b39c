"""What a queue costs: `python -m bench.queue PEERS [NAME …]`; PEERS is a venv with pgqueuer, dbos and psycopg.

Each contestant has a database of its own on one PostgreSQL server (fsync is off: what is compared is work, not disks).
What it prints stands in docs/decisions/0034-jobs-run-on-procrastinate.md.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from tests.postgres import postgres

CONTESTANTS = {"bare": False, "ours": False, "plain": False, "pgq": True, "durable": True}
"""Whether it needs the venv of the others."""
JOBS, FEW, SINGLES, SILENCE, LONGEST = 1000, 300, 40, 6.0, 120.0


@dataclass
class Contest:
    """One contestant on a database of its own."""

    name: str
    python: str
    url: str
    folder: Path
    server: int
    """The process id of PostgreSQL."""
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, what: str, *more: str) -> subprocess.Popen[str]:
        words = [self.python, "-m", f"bench.queues.{self.name}", what, self.url, *more]
        errors = (self.folder / "errors").open("a")
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        pipe = subprocess.PIPE
        return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=environment)

    def work(self, count: int) -> None:
        """Starts so many workers, which have loaded all they need, and wait for `go`."""
        (self.folder / "go").unlink(missing_ok=True)
        ready = len(self.lines("ready"))
        for number in range(count):
            words = (str(self.log), str(self.folder / "go"), str(SILENCE), f"{self.name}{number}")
            self.workers.append(self.start("work", *words))
        assert until(lambda: len(self.lines("ready")) == ready + count)

    def go(self) -> None:
        (self.folder / "go").touch()

    def end(self) -> None:
        for worker in self.workers:
            with suppress(ProcessLookupError):
                worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.workers.clear()

    def lines(self, what: str, prefix: str = "") -> list[tuple[float, str, str]]:
        """When, by whom and which: of what began or ended."""
        if not self.log.exists():
            return []
        lines = (line.split() for line in self.log.read_text().splitlines())
        return [(float(at), pid, part) for at, pid, said, part in lines if said == what and part.startswith(prefix)]


@dataclass
class Client:
    """Defers jobs."""

    process: subprocess.Popen[str]

    def defer(self, count: int, prefix: str) -> tuple[float, float]:
        """When that began and ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{count} {prefix}\n")
        self.process.stdin.flush()
        began, ended = self.process.stdout.readline().split()
        return float(began), float(ended)


def until(holds: Callable[[], bool], longest: float = LONGEST) -> bool:
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > longest:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def deferring(contest: Contest) -> Iterator[Client]:
    process = contest.start("client")
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield Client(process)
    finally:
        process.kill()
        process.wait()


def rate(contest: Contest, client: Client, count: int, prefix: str) -> float:
    """Jobs a second, of so many that are deferred at once to workers that wait for them."""
    client.defer(count, prefix)
    until(lambda: len(contest.lines("ends", prefix)) >= count)
    return pace(contest, prefix)


def pace(contest: Contest, prefix: str) -> float:
    ends = [at for at, _, _ in contest.lines("ends", prefix)]
    return len(ends) / (max(ends) - min(at for at, _, _ in contest.lines("begins", prefix)))


def idle(contest: Contest, client: Client) -> list[float]:
    """Milliseconds from deferring to begin while one worker has nothing to do."""
    waits = []
    for number in range(SINGLES):
        time.sleep(0.15)
        began, _ = client.defer(1, f"one{number}x")
        until(lambda number=number: bool(contest.lines("ends", f"one{number}x")))  # type: ignore[misc]
        waits.append(1000 * (contest.lines("begins", f"one{number}x")[0][0] - began))
    return sorted(waits)


def crowd(contest: Contest, client: Client) -> tuple[float, float, float, float]:
    """Seconds that 99 of 100 wait of a thousand at once; transactions, CPU ms of workers and of the server a job."""
    time.sleep(1.5)
    hands = [one.pid for one in contest.workers]
    before, worked, served = transactions(contest.url), cpu(hands), cpu(family(contest.server))
    began, _ = client.defer(JOBS, "crowd")
    until(lambda: len(contest.lines("ends", "crowd")) >= JOBS)
    worked, served = cpu(hands) - worked, cpu(family(contest.server)) - served
    time.sleep(1.5)
    count = transactions(contest.url) - before
    waits = sorted(at - began for at, _, _ in contest.lines("begins", "crowd"))
    return waits[int(0.99 * len(waits))], count / JOBS, 1000 * worked / JOBS, 1000 * served / JOBS


def family(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def cpu(pids: list[int]) -> float:
    """Seconds of CPU, of children that have ended too."""
    ticks = 0
    for pid in pids:
        with suppress(FileNotFoundError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def transactions(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        return int(row[0]) if row else 0


def killed(contest: Contest, client: Client) -> tuple[float, int]:
    """Seconds from a worker's SIGKILL to its job's begin elsewhere (nan: not in time), and how often that began."""
    client.defer(1, "wait")
    until(lambda: bool(contest.lines("begins", "wait")))
    (victim,) = [one for one in contest.workers if str(one.pid) == contest.lines("begins", "wait")[0][1]]
    at = time.time()
    victim.kill()
    came = until(lambda: len(contest.lines("begins", "wait")) > 1, 10 * SILENCE)
    Path(f"{contest.log}.go").touch()
    time.sleep(2 * SILENCE)  # would it be begun a third time?
    begins = contest.lines("begins", "wait")
    return (begins[1][0] - at if came else float("nan")), len(begins)


def measure(contest: Contest) -> str:
    maker = contest.start("make", str(contest.log), "-", str(SILENCE), "maker")
    maker.communicate()
    with deferring(contest) as client:
        contest.work(1)
        contest.go()
        client.defer(1, "warm")
        until(lambda: bool(contest.lines("ends", "warm")))
        waits = idle(contest, client)
        one = rate(contest, client, FEW, "few")
        contest.work(3)
        contest.go()
        time.sleep(2.0)
        p99, count, worked, served = crowd(contest, client)
        four = pace(contest, "crowd")
        after, times = killed(contest, client)
        contest.end()
    median, slow = statistics.median(waits), waits[int(0.99 * len(waits))]
    speed = f"{one:.0f} | {four:.0f} | {median:.1f} | {slow:.1f} | {p99:.2f}"
    figures = f"{speed} | {count:.1f} | {worked:.2f} | {served:.2f} | {after:.1f} | {times - 1}"
    return f"| {contest.name} | {figures} |"


def main(peers: str, names: list[str]) -> None:
    print("| | jobs/s, 1 worker | 4 workers | idle p50 ms | p99 ms | 1,000 at once p99 s | transactions/job ", end="")
    print("| CPU ms/job workers | server ", end="")
    print("| begun elsewhere s | times again |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with postgres() as server:
        for name in names or list(CONTESTANTS):
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            url = server.url.removesuffix("postgres") + name
            python = f"{peers}/bin/python" if CONTESTANTS[name] else sys.executable
            with tempfile.TemporaryDirectory() as folder:
                contest = Contest(name, python, url, Path(folder), server.pid)
                try:
                    print(measure(contest), flush=True)
                except AssertionError:
                    print(f"| {name} | could not be measured", flush=True)
                finally:
                    contest.end()
                    errors = (Path(folder) / "errors").read_text()
                    if errors:
                        print(f"{name}: {errors[-600:]}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
