"""`runbook` against Ansible, pyinfra, fabric, parallel-ssh and OpenSSH's own client: `make bench-peers`.

The same two jobs for each (read what a diagnosis reads; five checked steps), on 1, 10 and 100 hosts, in turn, round
after round. Prints the tables; `--write` puts them between their markers in README.md and the performance page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import farm as farms
from bench.farm import descendants
from bench.figures import Figures
from bench.fleet import RUNBOOK, Ground, commit, measured_of
from bench.meter import Cost, HostMeter, hosts_of, measured, settled
from bench.peers import page
from bench.peers.account import Account, HostMemory, forks_of, memory_of
from bench.peers.contestants import JOBS, Entry, entries, login, name_of
from bench.peers.installing import PACKAGES, Python, Tool, install, interpreter
from bench.tables import wall

MOST_SECONDS = 1200.0
SLOW_SECONDS = 60.0
"""Who takes longer in the first round is not measured again."""


@dataclass(frozen=True)
class Bench:
    """Hosts, and the meters of them and of the commands."""

    ground: Ground
    hosts: HostMeter
    memory: HostMemory
    account: Account

    def cost(self, entry: Entry) -> Cost:
        """Measures one command and what its hosts pay. SystemExit where it failed or did not reach all of them."""
        task = entry.task
        if entry.keeps:
            shutil.rmtree(entry.keeps, ignore_errors=True)
            made = [str(RUNBOOK), "on", "--state-dir", str(entry.keeps), "--config-dir", str(self.ground.scratch)]
            subprocess.run(made, check=True, capture_output=True)
        output = self.ground.scratch / "output"
        before = self.hosts.seconds()
        self.memory.begin()
        with self.account.opened() as joining:
            cost = measured((*joining, *task.command), output, task.well, most=MOST_SECONDS)
            if entry.lingers:
                hang_up(self.ground.farm.servers)
            host_cpu = settled(self.hosts) - before
            cpu, together = self.account.cpu(), self.account.peak()
        self._prove(entry, output)
        cost = replace(cost, wall=cost.wall - task.waits, host_cpu=host_cpu, together=together)
        cost = replace(cost, host_memory=self.memory.grown())
        return replace(cost, cpu=cpu) if self.account.known else cost

    def _prove(self, entry: Entry, output: Path) -> None:
        task = entry.task
        wanted = task.hosts * entry.times
        found = output.read_bytes().count(task.proof) if task.proof else wanted
        if entry.job == "remediate" and entry.keeps:
            wanted = task.hosts * page.STEPS
            found = sum(file.read_bytes().count(b'"state":"done"') for file in entry.keeps.glob("runs/*/1*.jsonl"))
        if found != wanted:
            raise SystemExit(f"{entry.job} {task.what}: {found} of {wanted} proofs in its output")


def hang_up(servers: tuple[int, ...]) -> None:
    """Ends the sessions that a client keeps open for its next call."""
    for pid in descendants(servers):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue


def main() -> int:
    """Installs, measures, prints; a benchmark informs, it does not fail."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # With it every start would compile every module anew, of whom pip has not compiled at its installation.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.pop("RUNBOOK_STORE", None)
    python = interpreter(sys.executable)
    tools = {name: install(name, python) for name in PACKAGES}
    counts = sorted(int(word) for word in options.hosts.split(","))
    load = os.getloadavg()[0]
    with opened(max(counts), options.forks) as bench:
        warm_up(bench, tools)
        figures = _rounds(bench, counts, options.rounds, tools)
        _count(bench, figures, tools)
        told = page.Told(
            when=time.strftime("%Y-%m-%d %H:%M"),
            machine=machine(load, bench),
            rounds=options.rounds,
            commit=commit(),
            contestants=versions(python, tools),
        )
    tables = page.Tables(figures, counts, {tool.name: tool.lack for tool in tools.values() if tool.lack})
    print("\n".join([*page.long(told, tables)]))
    if options.json:
        options.json.write_text(json.dumps(_raw(figures), indent=1) + "\n", encoding="utf-8")
    if options.write:
        page.write(told, tables)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--hosts", default="1,10,100", help="how many hosts; a comma list")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--forks", type=int, default=50, help="hosts at once, for every contestant that has a say")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md and the performance page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the raw figures")
    return parser.parse_args()


@contextmanager
def opened(hosts: int, at_once: int) -> Iterator[Bench]:
    """The farm, its meters and a folder to write to. SystemExit without root: hosts that are changed stand apart."""
    if os.geteuid() != 0:
        raise SystemExit("bench-peers changes hosts: it needs root, to give each of them a place of its own")
    with (
        farms.running(hosts, apart=True) as farm,
        hosts_of(farm.servers) as meter,
        memory_of(farm.servers) as memory,
        tempfile.TemporaryDirectory(prefix="peers-") as scratch,
    ):
        ground = Ground(farm, at_once, Path(scratch))
        first = ground.client("first login", hosts, "true")
        measured(first.command, ground.scratch / "output", meter=meter)
        yield Bench(ground, meter, memory, Account())


def warm_up(bench: Bench, tools: Mapping[str, Tool]) -> None:
    """Everything once, on one host: bytecode is written, and what is on the disk is in memory."""
    for job in JOBS:
        for entry in entries(job, bench.ground, 1, tools):
            bench.cost(entry)


def _rounds(bench: Bench, counts: list[int], rounds: int, tools: Mapping[str, Tool]) -> Figures:
    """Every contestant in turn, round after round, another one first each time; the slow ones in one round."""
    figures = Figures()
    for number in range(rounds):
        for place, (count, job) in enumerate((count, job) for count in counts for job in JOBS):
            group = list(entries(job, bench.ground, count, tools))
            first = (number + place) % len(group)
            for entry in group[first:] + group[:first]:
                name = name_of(job, entry.task.what)
                if max(figures.of(name, count, wall), default=0.0) > SLOW_SECONDS:
                    continue
                print(f"round {number + 1}: {job}, {entry.task.what}, hosts: {count}", file=sys.stderr, flush=True)
                figures.add(name, count, bench.cost(entry))
    return figures


def _count(bench: Bench, figures: Figures, tools: Mapping[str, Tool]) -> None:
    """Once more on one host, each alone: the processes that are started there, and the memory that is taken."""
    all_of_them = [login(bench.ground), *(entry for job in JOBS for entry in entries(job, bench.ground, 1, tools))]
    for entry in all_of_them:
        with forks_of(bench.ground.farm.servers) as forks:
            cost = bench.cost(entry)
        if forks is not None:
            cost = replace(cost, forks=forks.count)
        figures.add(name_of(page.COUNTED, name_of(entry.job, entry.task.what)), 1, cost)


def machine(load: float, bench: Bench) -> str:
    """What was measured on, without names."""
    version = platform.release().partition("-")[0]
    meters = f"hosts' CPU by {bench.hosts.how}"
    return (
        f"{os.cpu_count()} CPUs, Linux {version}, load {load:.1f} before, {os.getloadavg()[0]:.1f} after; "
        f"{len(bench.ground.farm.servers)} servers; {meters}"
    )


def versions(python: Python, tools: Mapping[str, Tool]) -> list[str]:
    """Each contestant with its version, and what is missing."""
    said = [f"{PACKAGES[tool.name]} {tool.version or tool.lack}" for tool in tools.values()]
    return [*said, f"on Python {python.version}{f' ({python.lack})' if python.lack else ''}"]


def _raw(figures: Figures) -> list[dict[str, object]]:
    return [
        {"what": what, "hosts": hosts, "rounds": [measured_of(cost) for cost in costs]}
        for (what, hosts), costs in figures.costs.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
