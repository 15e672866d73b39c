"""Several control nodes on one PostgreSQL, with simulated hosts: what a host costs them, and how late they are.

`python -m bench.nodes --hosts 20000 --workers 4`: a look at all hosts, as every five minutes, then a storm: as many
incidents at once (`--storm`), each of which wants the same unit disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from tests.cli.books import act, book
from tests.postgres import Postgres, postgres

from bench.farm import living
from bench.simulated import ChangeMade, most_at_once

HERE = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
COUNTED_LATE = 1.5
"""Seconds until the server's statistics have what was just done."""
STARTED = 120.0


@dataclass
class Nodes:
    """Running workers and their database."""

    folder: Path
    server: Postgres
    sick: float
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def words(self, *words: str) -> list[str]:
        world = ["--folder", str(self.folder / "world"), "--sick", str(self.sick)]
        return [sys.executable, "-m", "bench.simulated", *world, "--", *words, "--runbooks", str(self.folder / "books")]

    def start(self, name: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        words = self.words("worker", "--node", name, "--state-dir", str(self.folder / name))
        self.workers.append(subprocess.Popen(words, cwd=HERE, env=self.environment, stdout=log, stderr=log))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "RUNBOOK_STORE": self.server.url, "PYTHONFAULTHANDLER": "1"}

    def asked(self, query: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(self.server.url.replace("postgresql:", "postgresql+psycopg:"))
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(sa.text(query))]
        finally:
            engine.dispose()

    def commits(self) -> int:
        time.sleep(COUNTED_LATE)
        return int(str(self.asked("SELECT sum(xact_commit) FROM pg_stat_database")[0][0]))

    def cpu(self) -> list[float]:
        """Seconds of CPU of each worker so far."""
        return [seconds(worker.pid) for worker in self.workers]

    def server_cpu(self) -> float:
        """Seconds of CPU of PostgreSQL's processes that still are there; connections last longer than a measurement."""
        return sum(seconds(pid) for parent, pid in living() if self.server.pid in (parent, pid))


def seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def nodes(count: int, sick: float) -> Iterator[Nodes]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nodes-")))
        for name in ("world", "books"):
            (folder / name).mkdir()
        book(folder / "books", act("disturb", "true", risk="medium"), name="storm")
        found = Nodes(folder, stack.enter_context(postgres()), sick)
        try:
            for number in range(count):
                found.start(f"node-{number + 1}")
            wait_for_workers(found, count)
            yield found
        finally:
            for worker in found.workers:
                worker.kill()
                worker.wait()


def wait_for_workers(found: Nodes, count: int) -> None:
    began = time.monotonic()
    while time.monotonic() - began < STARTED:
        try:
            if found.asked("SELECT count(*) FROM workers WHERE NOT stopped")[0][0] == count:
                return
        except sa.exc.SQLAlchemyError:
            pass
        time.sleep(0.2)
    raise SystemExit("\n".join(path.read_text() for path in found.folder.glob("*.log")))


def look(found: Nodes, hosts: int) -> None:
    """One look at all hosts."""
    before, cpu, began, own = found.commits(), found.cpu(), time.monotonic(), os.times()
    words = ("diagnose", "--distribute", f"--host=sim-[00001:{hosts:05}]", "--state-dir", str(found.folder / "front"))
    ran = subprocess.run(
        found.words(*words), cwd=HERE, env=found.environment, capture_output=True, text=True, check=False
    )
    took, now = time.monotonic() - began, os.times()
    front = now.children_user + now.children_system - own.children_user - own.children_system
    used = [after - first for after, first in zip(found.cpu(), cpu, strict=True)]
    commits = found.commits() - before
    print(f"look: {hosts} hosts in {took:.1f} s, {hosts / took:.1f} a second; exit {ran.returncode}")
    print(f"  {ran.stdout.splitlines()[0][:110] if ran.stdout else ran.stderr[-600:]}")
    print(f"  CPU of workers: {1000 * sum(used) / hosts:.1f} ms a host ({', '.join(f'{one:.0f} s' for one in used)})")
    print(f"  CPU of the asking node: {1000 * front / hosts:.2f} ms a host")
    print(f"  transactions: {commits / hosts:.2f} a host")


def storm(found: Nodes, incidents: int) -> None:
    """So many incidents at once; all want the same change, which disturbs users."""
    before, began, cpu = found.commits(), time.monotonic(), sum(found.cpu())
    own, server = os.times(), found.server_cpu()
    hosts = f"--host=sim-[{1:05}:{incidents:05}]"
    words = (
        "run",
        "storm",
        "--distribute",
        hosts,
        "--allow",
        "run_command",
        "--state-dir",
        str(found.folder / "front"),
    )
    asked = found.words(*words, "--format=jsonl")
    ran = subprocess.run(asked, cwd=HERE, env=found.environment, capture_output=True, text=True, check=False)
    took, now, used = time.monotonic() - began, os.times(), sum(found.cpu()) - cpu
    front = now.children_user + now.children_system - own.children_user - own.children_system
    server = found.server_cpu() - server
    said = [one["outcome"] for one in map(json.loads, ran.stdout.splitlines()) if "outcome" in one]
    begun = found.asked("SELECT began - queued FROM parts WHERE host <> '' AND began > 0")
    late = sorted(float(str(row[0])) for row in begun) or [0.0]
    made, commits = list(journaled(found.folder)), found.commits() - before
    p50, p99 = quantile(late, 0.5), quantile(late, 0.99)
    print(f"storm: {incidents} incidents, all ended after {took:.1f} s; exit {ran.returncode}")
    print(f"  {dict(Counter(said)) or ran.stderr[-600:]}")
    print(f"  from queued to begun: p50 {p50:.2f} s, p99 {p99:.2f} s, most {late[-1]:.2f} s")
    print(
        f"  disturbing changes by the journals of all nodes: {len(made)}, at most {most_at_once(made)} at the same time"
    )
    print(f"  transactions: {commits / incidents:.2f} an incident")
    each = [1000 * one / incidents for one in (used, front, server)]
    print(f"  CPU an incident: workers {each[0]:.0f} ms, the asking node {each[1]:.0f} ms, PostgreSQL {each[2]:.0f} ms")


def quantile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def journaled(folder: Path) -> Iterator[ChangeMade]:
    """Each change that a journal of any node tells of, from its question to its answer."""
    for path in folder.glob("node-*/runs/*/sim-*.jsonl"):
        begun = None
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["event"] == "asked" and record["request"]["type"] == "Execute":
                begun = record
            elif record["event"] == "answered" and begun is not None:
                yield ChangeMade(record["host"], begun["request"]["step"], begun["monotonic"], record["monotonic"])
                begun = None


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=__doc__)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--storm", type=int, default=0)
    parser.add_argument("--sick", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--logs", action="store_true", help="print what the workers said")
    asked = parser.parse_args(argv)
    with nodes(asked.workers, asked.sick) as found:
        for _ in range(asked.rounds):
            look(found, asked.hosts)
        if asked.storm:
            storm(found, asked.storm)
        if asked.logs:
            for path in sorted(found.folder.glob("*.log")):
                print(path.name, path.read_text()[-3000:], sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
