"""What one host costs the control node apart from SSH: its answers parsed, then judged by all shipped runbooks.

50 recorded hosts in one process, each with 300 control groups and 2,000 processes, no two with the same figures. Give
`--runbook before=PATH --runbook after=PATH` to compare checkouts: each reads and judges what its own probe asks.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from bench import machine
from bench.figures import Goal, median, ratio, table
from memrunbook import catalog
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import diagnose
from memrunbook.core.reading.fact import Fact, Question, Read, Reading, Sample, Unavailable, Whole
from memrunbook.core.reading.probe import CASE, build_probe, read_sample
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import entries, read
from memrunbook.documents.runbooks import load_runbook
from memrunbook.runtime.collect import following, ordered, parse

HOSTS, GROUPS, PROCESSES, SAMPLES = 50, 300, 2000, 3
SHOWN_FACTS = 6
STATES = ("short", "healthy")
"""Of the recorded host: short of memory, and not."""
JUDGED = Goal("judging by all runbooks", 5.0, "ms")
LONG_NUMBER = re.compile(r"(?<=\d{3})\d{3}\b")
Recording = list[str]
Readings = dict[str, Reading | Unavailable]


def main() -> int:
    """Measures every checkout in turn and prints medians, in CPU ms a host."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--runbook", action="append", metavar="NAME=PATH", help="an executable to measure; repeatable")
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tree", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tree:
        print(json.dumps(_measured(options.tree, options.hosts)))
        return 0
    pythons = [word.split("=", 1) for word in options.runbook or [f"runbook={sys.executable}"]]
    with tempfile.TemporaryDirectory(prefix="machine-") as folder:
        for state in STATES:
            machine.build(Path(folder, state), options.groups, options.processes, paths(catalog.facts()))
        machine.heal(Path(folder, STATES[1]))
        each = ["-m", "bench.reading", "--tree", folder, "--hosts", str(options.hosts)]
        taken: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in pythons}
        for _ in range(options.rounds):
            for name, path in pythons:
                command = [str(Path(path).with_name("python")), *each]
                taken[name].append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    what = f"{options.hosts} hosts, {options.groups} control groups and {options.processes} processes each"
    print("\n".join(tables(f"{what}; {options.rounds} rounds", taken)))
    return 0


def paths(facts: Mapping[str, Fact]) -> list[str]:
    return [ask.path for fact in facts.values() for ask in fact.asks if isinstance(ask, Read | Whole)]


def _measured(tree: Path, hosts: int) -> dict[str, Any]:
    """CPU ms of this checkout: medians of a host for parsing and judging, what each fact takes of the first."""
    facts = catalog.facts()
    runbooks = [load_runbook(*read(entry.name, [])) for entry in entries([])]
    recording, well = (record(tree / state, facts) for state in STATES)
    short, healthy = (_hosts(one, facts, runbooks, hosts) for one in (recording, well))
    return {
        "parse": statistics.median(one.parse for one in short),
        "judge": statistics.median(one.judge for one in short),
        "judge healthy": statistics.median(one.judge for one in healthy),
        "first judge": short[0].judge,
        "kib": sum(len(text) for text in recording) / 1024,
        "runbooks": len(runbooks),
        "firing": short[0].firing,
        "facts": _by_fact(recording, facts),
    }


class One(NamedTuple):
    """CPU ms for one host, and how many runbooks apply to it."""

    parse: float
    judge: float
    firing: int


def _hosts(recording: Recording, facts: Mapping[str, Fact], runbooks: list[Runbook], count: int) -> list[One]:
    dice, found = random.Random(7), []
    for _ in range(count):
        host = varied(recording, dice)
        began = time.process_time()
        snapshot = snapshot_of(host, facts)
        parsed = time.process_time()
        firing = len(diagnose(runbooks, snapshot).incidents)
        found.append(One((parsed - began) * 1000, (time.process_time() - parsed) * 1000, firing))
    return found


def varied(recording: Recording, dice: random.Random) -> Recording:
    """Another host: the last three digits of every long number are others."""
    return [LONG_NUMBER.sub(lambda _: f"{dice.randrange(1000):03}", text) for text in recording]


def record(tree: Path, facts: Mapping[str, Fact]) -> Recording:
    """What the host answers to each sample, and to the facts that ask once more."""
    order = ordered(sorted(facts), facts)
    asks = [ask for name in order for ask in facts[name].asks]
    scripts = [build_probe(asks, repeat=number > 0) for number in range(SAMPLES)]
    with machine.Asked(tree, CASE) as host:
        texts = [host.probe(script, number) for number, script in enumerate(scripts)]
        samples = tuple(read_sample(text, CASE) for text in texts)
        later = following(order, facts)
        more = _follow_ups(order, facts, parse([name for name in order if name not in later], facts, samples))
        return [*texts, host.probe(build_probe(more, repeat=False), SAMPLES)]


def _follow_ups(order: list[str], facts: Mapping[str, Fact], readings: Readings) -> list[Question]:
    later = [fact for name in following(order, facts) if (fact := facts[name]).follow]
    known = [(fact, {need: readings[need] for need in fact.needs if need in readings}) for fact in later]
    return [ask for fact, needed in known if fact.follow for ask in fact.follow(needed)]


def snapshot_of(recording: Recording, facts: Mapping[str, Fact]) -> Snapshot:
    """As a collector does: the facts that follow up are parsed last, with the answers to what they asked."""
    order = ordered(sorted(facts), facts)
    later = following(order, facts)
    *samples, more = [read_sample(text, CASE) for text in recording]
    readings = parse([name for name in order if name not in later], facts, tuple(samples))
    _follow_ups(order, facts, readings)
    readings = parse(later, facts, _answered(samples, more), readings)
    span = samples[-1].before - samples[0].before
    return Snapshot("recorded", HostIdentity(), Instant(1e9, 0.0), readings, samples=len(samples), span=span)


def _answered(samples: list[Sample], more: Sample) -> tuple[Sample, ...]:
    last = structs.replace(samples[-1], answers={**samples[-1].answers, **more.answers})
    return *samples[:-1], last


def _by_fact(recording: Recording, facts: Mapping[str, Fact], times: int = 10) -> dict[str, float]:
    *samples, more = [read_sample(text, CASE) for text in recording]
    order = ordered(sorted(facts), facts)
    readings = parse(order, facts, _answered(samples, more))
    found = {}
    for name in order:
        began = time.process_time()
        for _ in range(times):
            parse([name], facts, tuple(samples), readings)
        found[name] = (time.process_time() - began) * 1000 / times
    return found


def _of_fact(name: str, one: dict[str, Any]) -> float:
    return float(one["facts"].get(name, 0.0))


def tables(what: str, taken: dict[str, list[dict[str, Any]]]) -> list[str]:
    """One table: the medians of every checkout, and the ratios of each round to the first one."""
    names = list(taken)
    first = taken[names[0]][0]

    def row(said: str, find: Callable[[dict[str, Any]], float], goal: Goal | None = None) -> list[str | float]:
        values = {name: [find(one) for one in rounds] for name, rounds in taken.items()}
        ratios = [ratio(values[name], values[names[0]]) for name in names[1:]]
        medians = [median(values[name]) for name in names]
        return [said, goal.limit if goal else "", *(map(goal.verdict, medians) if goal else medians), *ratios]

    heads = ["CPU ms a host", "goal", *names, *(f"{name} / {names[0]}" for name in names[1:])]
    judged = f"judging a host short of memory: {first['firing']} of {first['runbooks']} runbooks apply"
    rows = [
        row("parsing what it answered", itemgetter("parse")),
        row(judged, itemgetter("judge"), JUDGED),
        row("judging a host that lacks nothing", itemgetter("judge healthy"), JUDGED),
        row("judging the first host, short of memory", itemgetter("first judge")),
        row("(KiB that it answered)", itemgetter("kib")),
    ]
    slow = sorted(first["facts"], key=lambda name: -first["facts"][name])[:SHOWN_FACTS]
    rows += [row(f"of parsing: {name}", partial(_of_fact, name)) for name in slow]
    return [table(f"Reading and judging: {what}", heads, rows)]


if __name__ == "__main__":
    sys.exit(main())
