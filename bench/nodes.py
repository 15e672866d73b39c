"""Several control nodes on one PostgreSQL, with simulated hosts: what a host costs them, and how late they are.

`python -m bench.nodes --hosts 20000 --workers 4`: a look at all hosts as every five minutes, then a storm of incidents.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from tests.postgres import Postgres, postgres

HERE = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Nodes:
    """Running workers and their database."""

    folder: Path
    server: Postgres
    sick: float
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def words(self, *words: str) -> list[str]:
        world = ["--folder", str(self.folder / "world"), "--sick", str(self.sick)]
        return [sys.executable, "-m", "bench.simulated", *world, "--", *words]

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
        time.sleep(1.5)  # the server counts late
        return int(str(self.asked("SELECT sum(xact_commit) FROM pg_stat_database")[0][0]))

    def cpu(self) -> list[float]:
        """Seconds of CPU of each worker so far."""
        return [seconds(worker.pid) for worker in self.workers]


def seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def nodes(count: int, sick: float) -> Iterator[Nodes]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nodes-")))
        (folder / "world").mkdir()
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
    while time.monotonic() - began < 60:
        try:
            if found.asked("SELECT count(*) FROM workers WHERE NOT stopped")[0][0] == count:
                return
        except sa.exc.SQLAlchemyError:
            pass
        time.sleep(0.2)
    raise SystemExit("\n".join(path.read_text() for path in found.folder.glob("*.log")))


def look(found: Nodes, hosts: int) -> None:
    """One look at all hosts."""
    before, cpu, began = found.commits(), found.cpu(), time.monotonic()
    words = found.words(
        "diagnose", "--distribute", f"--host=sim-[00001:{hosts:05}]", "--state-dir", str(found.folder / "front")
    )
    own = os.times()
    ran = subprocess.run(words, cwd=HERE, env=found.environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    now = os.times()
    front = now.children_user + now.children_system - own.children_user - own.children_system
    used = [after - first for after, first in zip(found.cpu(), cpu, strict=True)]
    commits = found.commits() - before
    print(ran.stdout[:600], ran.stderr[-600:])
    print(f"hosts {hosts}: {took:.1f} s; exit {ran.returncode}")
    print(f"workers: {1000 * sum(used) / hosts:.2f} ms of CPU a host ({', '.join(f'{one:.1f}' for one in used)} s)")
    print(f"front: {1000 * front / hosts:.2f} ms of CPU a host; transactions a host: {commits / hosts:.2f}")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=__doc__)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--sick", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--logs", action="store_true")
    asked = parser.parse_args(argv)
    with nodes(asked.workers, asked.sick) as found:
        for _ in range(asked.rounds):
            look(found, asked.hosts)
        if asked.logs:
            for path in sorted(found.folder.glob("*.log")):
                print(path.name, path.read_text()[:3500] if asked.logs else "")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
