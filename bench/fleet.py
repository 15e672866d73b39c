"""A fleet on one machine: `runbook` against OpenSSH's own client, in one run, each in turn; medians and ratios.

The floor is what a careful engineer would do without us: `xargs -P50 ssh HOST sh -s < bench/reference-probe.sh`. Give
`--runbook before=PATH --runbook after=PATH` to compare two checkouts, each by the `runbook` of its own .venv.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path

from bench import farm as farms
from bench import tables
from bench.crowd import crowd
from bench.figures import Figures
from bench.meter import Cost, HostMeter, hosts_of, measured

PROBE = Path(__file__).with_name("reference-probe.sh")
RUNBOOK = Path(sys.executable).with_name("runbook")
SAMPLES_SECONDS = 10.0
"""What `diagnose` waits between its samples (three, 5 s apart): no part of what reading costs."""
HEALTHY_OR_NOT = (0, 8, 9)
PROVES = b"@@/proc/meminfo\n"
QUICKLY = ("--every", "0.1")
STARTS, PROBES = 3, 3
"""In each round: start-up counts by the least of so many, for noise only adds; single samples are taken so often."""


@dataclass(frozen=True)
class Task:
    """One command to measure. `waits` seconds of its wall are no cost; `proof` stands in its output once a host."""

    what: str
    hosts: int
    command: tuple[str, ...]
    well: tuple[int, ...] = (0,)
    waits: float = 0.0
    proof: bytes = b""


@dataclass(frozen=True)
class Ground:
    """What every contestant gets: the hosts, how many of them at once, and a folder to write to."""

    farm: farms.Farm
    at_once: int
    scratch: Path

    def reach(self, count: int) -> list[str]:
        """Options of `runbook` for the first so many hosts."""
        return ["--forks", str(self.at_once), *self.farm.options(count)]

    def client(self, what: str, count: int, *words: str, stdin: Path = Path(os.devnull)) -> Task:
        """OpenSSH's client on each host; a shell opens `stdin` anew for each, and becomes the client."""
        names = self.scratch / f"hosts-{count}"
        names.write_text("\n".join(self.farm.addresses[:count]) + "\n", encoding="ascii")
        client = f'exec ssh -F {shlex.quote(str(self.farm.config))} "$1" {shlex.join(words)} <{shlex.quote(str(stdin))}'
        each = ("xargs", "-a", str(names), f"-P{self.at_once}", "-n1")
        return Task(what, count, (*each, "sh", "-c", client, "sh"))

    def floor(self, what: str, count: int) -> Task:
        """The reference probe by OpenSSH's client."""
        return replace(self.client(what, count, "sh", "-s", stdin=PROBE), proof=PROVES)


def main() -> int:
    """Measures and prints; a benchmark informs, it does not fail."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    counts = sorted(int(word) for word in options.hosts.split(","))
    runbooks = dict(word.split("=", 1) for word in options.runbook or [f"runbook={RUNBOOK}"])
    load = os.getloadavg()[0]
    with (
        crowd(options.groups, options.processes) as crowded,
        farms.running(max(counts), options.servers) as farm,
        hosts_of(farm.servers) as meter,
        tempfile.TemporaryDirectory(prefix="fleet-") as scratch,
    ):
        ground = Ground(farm, options.forks, Path(scratch))
        measured(ground.client("warm-up", max(counts), "true").command, Path(scratch) / "output", meter=meter)
        groups = list(_tasks(options, counts, runbooks, ground))
        figures = _rounds(groups, options.rounds, meter, Path(scratch) / "output")
        where = (
            f"{time.strftime('%Y-%m-%d %H:%M')}, commit {commit()}, {os.cpu_count()} CPUs, load {load:.1f} before, "
            f"{os.getloadavg()[0]:.1f} after; {options.rounds} rounds, {len(farm.servers)} servers, {crowded}; CPU of "
            f"the hosts by {meter.how}"
        )
    print("\n".join(tables.report(where, figures, counts, list(runbooks), options.probe_hosts)))
    if options.json:
        _save(options.json, where, figures)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fleet", description=__doc__)
    parser.add_argument("--hosts", default="1,10,100", help="how many hosts; a comma list")
    parser.add_argument("--servers", type=int, default=0, help="0: one a host, at most 200")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runbook", action="append", metavar="NAME=PATH", help="an executable to measure; repeatable")
    parser.add_argument("--forks", type=int, default=50, help="hosts at once, for every contestant")
    parser.add_argument("--interval", type=float, default=SAMPLES_SECONDS, help="seconds that a diagnosis waits")
    parser.add_argument("--probe-hosts", type=int, default=10, help="hosts to measure single samples on; 0: do not")
    parser.add_argument("--groups", type=int, default=0, help="control groups to make on this machine")
    parser.add_argument("--processes", type=int, default=0, help="sleeping processes to make on this machine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the raw figures")
    return parser.parse_args()


def _tasks(
    options: argparse.Namespace, counts: list[int], runbooks: dict[str, str], ground: Ground
) -> Iterator[list[Task]]:
    """What is measured in a round: groups of tasks that are compared, on the same number of hosts each."""
    kept = ["--config-dir", str(ground.scratch), "--state-dir", str(ground.scratch / "state")]
    for count in counts:
        reach = ground.reach(count)
        yield [
            ground.floor("floor", count),
            *(
                Task(f"diagnose {name}", count, (path, "diagnose", *kept, *reach), HEALTHY_OR_NOT, options.interval)
                for name, path in runbooks.items()
            ),
        ]
    for _ in range(PROBES if (count := min(options.probe_hosts, max(counts))) else 0):
        yield [
            ground.client("login", count, "true"),
            ground.floor("reference", count),
            *(
                Task(f"{number} {name}", count, (path, "facts", "--samples", number, *QUICKLY, *ground.reach(count)))
                for name, path in runbooks.items()
                for number in ("1", "3")
            ),
        ]
    for name, path in runbooks.items():
        python = str(Path(path).with_name("python"))
        starts = {"python": (python, "-c", "pass"), "help": (path, "--help"), "list": (path, "list")}
        yield [Task(f"{start} {name}", 0, command) for start, command in starts.items()]


def _rounds(groups: Sequence[list[Task]], rounds: int, meter: HostMeter, output: Path) -> Figures:
    """Measures all in turn, a round after another; within a group another task begins each time."""
    figures = Figures()
    for number in range(rounds):
        for place, group in enumerate(groups):
            first = (number + place) % len(group)
            for task in group[first:] + group[:first]:
                print(f"round {number + 1}: {task.what}, hosts: {task.hosts}", file=sys.stderr, flush=True)
                _measure(task, meter, output, figures)
    return figures


def _measure(task: Task, meter: HostMeter, output: Path, figures: Figures) -> None:
    if not task.hosts:
        costs = [measured(task.command, output) for _ in range(STARTS)]
        figures.add(task.what, 0, min(costs, key=lambda cost: cost.cpu))
        return
    cost = measured(task.command, output, task.well, meter)
    proofs = output.read_bytes().count(task.proof) if task.proof else task.hosts
    if proofs != task.hosts:
        raise SystemExit(f"{task.what}: {proofs} of {task.hosts} hosts answered")
    figures.add(task.what, task.hosts, replace(cost, wall=cost.wall - task.waits))


def commit() -> str:
    words = ["git", "-C", str(PROBE.parent), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def measured_of(cost: Cost) -> dict[str, float]:
    """What of a cost was measured, by name."""
    return {name: value for name, value in asdict(cost).items() if not isnan(value)}


def _save(path: Path, where: str, figures: Figures) -> None:
    costs = [
        {"what": what, "hosts": hosts, "rounds": [measured_of(cost) for cost in costs]}
        for (what, hosts), costs in figures.costs.items()
    ]
    path.write_text(json.dumps({"where": where, "costs": costs}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
