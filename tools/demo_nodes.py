"""What `demo_cluster` shows: a PostgreSQL server, two workers and some hosts on loopback, started, looked at, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import sqlalchemy as sa
from bench import farm as farms
from tests.postgres import Postgres, postgres

from memrunbook.state.store.node_tables import PARTS, WORKERS

COMMAND = Path(sys.executable).with_name("runbook")
NODES = ("node-1", "node-2")
RUNBOOK = "swap-single-pages"
STEPS = ("note", "announce", "prepare", "change")
EFFECTS = "/run/demo-effects"
STALLED_AFTER = "15s"
SECONDS = 300.0
"""For a worker to come, and to go."""
TEXT = """\
apiVersion: memrunbook/v1
name: {name}
title: Pages are swapped in one by one
sample: {{count: 1, every: 200ms}}
signals: [sysctl.vm.page_cluster]
checks:
  - id: together
    name: The kernel swaps in several pages at once
    when: sysctl.vm.page_cluster > 0
    severity: critical
incident: checks.together
resolved: {{that: "sysctl.vm.page_cluster == 0"}}
steps:
"""
STEP = """\
  - id: {step}
    name: The step {step}
    action: run_command
    with: {{command: [sh, -c, 'echo {step} >>{effects}; {does}'], risk: low, timeout: 30s}}
    verify: {{that: "{proof}", within: 30s}}
"""
WRITES = "echo 0 >/proc/sys/vm/page-cluster"


class Part(NamedTuple):
    """A host of the run: how far it is, and the node that is or was at it last."""

    host: str
    state: str
    node: str


class Killed(NamedTuple):
    """A worker that was killed, the hosts that it was at, and the node that is left."""

    node: str
    pid: int
    hosts: frozenset[str]
    other: str


@dataclass
class Front:
    """A command where the run is ordered; what it says goes into files."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def ended(self, seconds: float) -> int | None:
        """Its exit code, if it ends within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait()

    def output(self) -> list[str]:
        """The lines of its result."""
        return self.out.read_text("utf-8").splitlines()

    def errors(self) -> str:
        """The end of what it said besides."""
        return self.err.read_text("utf-8")[-800:]


@dataclass
class Cluster:
    """All that runs. `stack` ends it."""

    folder: Path
    hosts: int
    server: Postgres
    farm: farms.Farm
    stack: ExitStack
    engine: sa.Engine
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def reach(self) -> list[str]:
        """What the front says of the hosts, and of who does it."""
        return ["--distribute", *self.farm.options(self.hosts), f"--state-dir={self.folder / 'front'}"]

    def front(self, *words: str) -> Front:
        """Begins a command, and shows it."""
        if words[0] != "audit":
            first, last = self.farm.addresses[0], self.farm.addresses[self.hosts - 1]
            say(f"   $ runbook {' '.join(words[:2])} --distribute --host {first},...,{last}", "")
        out, err = self.folder / f"{words[0]}.out", self.folder / f"{words[0]}.err"
        library = [] if words[0] == "audit" else [f"--runbooks={self.folder / 'runbooks'}"]
        with out.open("wb") as wide, err.open("wb") as narrow:
            return Front(self._begin([*words, *library], wide, narrow), out, err)

    def start(self, node: str) -> None:
        """Starts a worker; what it says goes into a file."""
        forks = max(1, self.hosts // 3)
        words = [f"--state-dir={self.folder / node}", f"--ssh-config={self.farm.config}", f"--forks={forks}"]
        words += [f"--runbooks={self.folder / 'runbooks'}", f"--stalled-after={STALLED_AFTER}"]
        with (self.folder / f"{node}.log").open("wb") as log:
            self.workers[node] = self._begin(["worker", "--node", node, *words], log, log)

    def _begin(self, words: Iterable[str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        """A process that a terminal's Ctrl-C does not reach, and that ends with all the others."""
        own = {"RUNBOOK_STORE": self.server.url, "HOME": str(self.folder), "COLUMNS": "78", "NO_COLOR": "1"}
        own |= {"PYTHONFAULTHANDLER": "1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "XDG_"))}
        process = subprocess.Popen(
            [str(COMMAND), *words, f"--config-dir={self.folder / 'config'}"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=kept | own,
            start_new_session=True,
        )
        self.stack.callback(_end, process)
        return process

    def kill(self) -> Killed:
        """Kills the worker that has most hosts under way; those are told after its last word."""
        at_work = Counter(part.node for part in self.parts() if part.state == "running")
        node = max(NODES, key=lambda one: at_work[one])
        _end(self.workers[node])
        hosts = frozenset(part.host for part in self.parts() if part.state == "running" and part.node == node)
        return Killed(node, self.workers[node].pid, hosts, next(one for one in NODES if one != node))

    def again(self, node: str) -> list[str]:
        """Starts a worker anew, has it end, and returns what it said of the runs that it had lost."""
        there = len(self._rows(sa.select(WORKERS.c.id)))
        self.start(node)
        self.wait_for_workers(there + 1)
        self.stop()
        said = (self.folder / f"{node}.log").read_text("utf-8").splitlines()
        return [line for line in said if "was cut off here" in line]

    def stop(self) -> None:
        """Has the workers come to their end."""
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            worker.wait(SECONDS)

    def wait_for_workers(self, count: int) -> None:
        """Waits until so many were ever heard of; RuntimeError with what they said where they do not come."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and all(one.poll() is None for one in self.workers.values()):
            with suppress(sa.exc.SQLAlchemyError):  # the first of them makes the tables
                if len(self._rows(sa.select(WORKERS.c.id))) >= count:
                    return
            time.sleep(0.1)
        said = [(self.folder / f"{node}.log").read_text("utf-8") for node in self.workers]
        raise RuntimeError("\n".join(["the workers did not come; they said:", *said]))

    def parts(self) -> list[Part]:
        """How far each host of the run is, as the store has it."""
        known = PARTS.c
        return [Part(*row) for row in self._rows(sa.select(known.host, known.state, known.node).order_by(known.place))]

    def done(self) -> int:
        """Steps that were carried out, on all hosts."""
        return sum(map(len, self.effects().values()))

    def effects(self) -> dict[str, list[str]]:
        """By host the lines of its file; each host has a /run of its own, seen through its server."""
        return {
            address: _lines(Path(f"/proc/{server}/root{EFFECTS}"))
            for address, server in zip(self.farm.addresses, self.farm.servers, strict=True)
        }

    def _rows(self, select: sa.Select[tuple[str, ...]] | sa.Select[tuple[str]]) -> list[tuple[str, ...]]:
        with self.engine.connect() as connection:
            return [tuple(map(str, row)) for row in connection.execute(select)]


@contextmanager
def cluster(folder: Path, hosts: int) -> Iterator[Cluster]:
    """Starts it all with a line for each, and ends it whatever happens."""
    (folder / "config").mkdir()
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / f"{RUNBOOK}.yaml").write_text(_runbook(), "utf-8")
    with ExitStack() as stack, _whole_at_the_end():
        with _undisturbed():
            server = stack.enter_context(postgres())
            say(f"   PostgreSQL     pid {server.pid:<8} 127.0.0.1:{server.port}: the store and the queue")
            farm = stack.enter_context(farms.running(hosts, apart=True))
        pids = f"pids {farm.servers[0]} to {farm.servers[-1]}"
        say(
            f"   {f'{hosts} hosts':14} {pids}, an sshd each, from {farm.addresses[0]} to",
            f"                  {farm.addresses[-1]}, port {farm.port}",
        )
        engine = sa.create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"), pool_pre_ping=True)
        stack.callback(engine.dispose)
        made = Cluster(folder, hosts, server, farm, stack, engine)
        for node in NODES:
            made.start(node)
        made.wait_for_workers(len(NODES))
        for node in NODES:
            say(f"   worker {node}  pid {made.workers[node].pid:<8} takes {max(1, hosts // 3)} hosts at once")
        yield made


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until this is over; it is nothing to what is started meanwhile, though a terminal tells it too."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _whole_at_the_end() -> Iterator[None]:
    """What ends it is not cut short by a second Ctrl-C."""
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def say(*lines: str) -> None:
    """Prints lines at once."""
    for line in lines:
        print(line, flush=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    process.wait()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:
        return []


def _runbook() -> str:
    last = STEPS[-1]
    steps = (
        STEP.format(
            step=step,
            effects=EFFECTS,
            does=WRITES if step == last else "sleep 0.5",
            proof="sysctl.vm.page_cluster == 0" if step == last else "sysctl.vm.page_cluster >= 0",
        )
        for step in STEPS
    )
    return TEXT.format(name=RUNBOOK) + "".join(steps)
