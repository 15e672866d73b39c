"""The tables of `bench.peers` in Markdown, and their places in README.md and the performance page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

from bench.figures import KIB, MIB, Figures, Goal, growth, number, table
from bench.meter import Cost
from bench.peers.contestants import DEFAULT, FLOOR, JOBS, LOGIN, OPTIMISED, OURS, PYINFRA, QUICK, STEPS, TOOLS, name_of
from bench.tables import cpu, host_cpu, hosts_in_words, memory, wall

ROOT = Path(__file__).parents[2]
PAGES = {"short": ROOT / "README.md", "long": ROOT / "docs" / "explanation" / "performance.md"}
BEGIN, END = "<!-- bench-peers: begin, written by `make bench-peers` -->", "<!-- bench-peers: end -->"
COUNTED = "counted"
TITLES = {"diagnose": "Diagnose", "remediate": "Five checked steps"}
ROWS = {"diagnose": (FLOOR, QUICK, OURS, *TOOLS), "remediate": (FLOOR, OURS, *TOOLS)}
Row = tuple[str | float, ...]

__all__ = ["COUNTED", "STEPS", "Tables", "Told", "long", "short", "write"]


@dataclass(frozen=True)
class Told:
    """What stands above the tables: when, where, of what."""

    when: str
    machine: str
    rounds: int
    commit: str
    contestants: Sequence[str]

    def __str__(self) -> str:
        rounds = f"{self.rounds} round{'s' if self.rounds != 1 else ''}, medians"
        return f"{self.when}, commit {self.commit}, {self.machine}; {rounds}. {', '.join(self.contestants)}."


@dataclass(frozen=True)
class Tables:
    """The figures, for how many hosts, and why a tool has none."""

    figures: Figures
    counts: list[int]
    lacking: Mapping[str, str]

    def value(self, job: str, what: str, count: int, value: Callable[[Cost], float]) -> float:
        return self.figures.median(name_of(job, what), count, value)

    def ratio(self, job: str, what: str, to: str, count: int, value: Callable[[Cost], float]) -> float:
        return self.figures.ratio(name_of(job, what), name_of(job, to), count, value)

    def counted(self, job: str, what: str, value: Callable[[Cost], float]) -> float:
        return self.figures.median(name_of(COUNTED, name_of(job, what)), 1, value)

    def lack(self, what: str) -> str:
        return self.lacking.get(TOOLS.get(what, ""), "")

    def once(self, job: str, what: str, count: int) -> bool:
        """Measured once, where the others were more often."""
        rounds = self.figures.of(name_of(job, what), count, wall)
        return len(rounds) == 1 and len(self.figures.of(name_of(job, FLOOR), count, wall)) > 1


def together(cost: Cost) -> float:
    return cost.together


def host_memory(cost: Cost) -> float:
    return cost.host_memory


def forks(cost: Cost) -> float:
    return cost.forks


def long(told: Told, tables: Tables) -> list[str]:
    """All tables."""
    heads = ["contestant", "wall s", "/ floor", "CPU ms a host", "/ floor", "MiB", "MiB together"]
    heads += ["host CPU ms a host", "/ floor"]
    parts = [f"{told}\n"]
    parts += [
        table(f"{TITLES[job]}, {hosts_in_words(count)}", heads, job_rows(tables, job, count))
        for count in tables.counts
        for job in JOBS
    ]
    paid = ["one host, above a login", "diagnose: processes", "MiB", "five steps: processes", "MiB"]
    parts.append(table("What the host pays", paid, paid_rows(tables)))
    parts.append(table("Goals", ["what", "goal", "measured"], goal_rows(tables)))
    return parts


def short(told: Told, tables: Tables) -> list[str]:
    """One table, for the most hosts."""
    most = max(tables.counts)
    heads = [hosts_in_words(most), "diagnose: wall", "control node: CPU a host", "memory", "a host: CPU"]
    heads += ["five steps: wall", "control node: CPU a host", "a host: CPU"]
    return [table("", heads, short_rows(tables, most)), f"{told}\n"]


def job_rows(tables: Tables, job: str, count: int) -> Iterator[Row]:
    """A row a contestant; memory of the largest process, and of all of them together."""
    for what in ROWS[job]:
        if lack := tables.lack(what):
            yield what, lack, *([nan] * 7)
            continue
        said = f"{what} (once)" if tables.once(job, what, count) else what
        each = [tables.value(job, what, count, value) / count * 1000 for value in (cpu, host_cpu)]
        over = [tables.ratio(job, what, FLOOR, count, value) for value in (wall, cpu, host_cpu)]
        held = [tables.value(job, what, count, value) / MIB for value in (memory, together)]
        held[0] = nan if what == FLOOR else held[0]
        yield said, tables.value(job, what, count, wall), over[0], each[0], over[1], *held, each[1], over[2]


def short_rows(tables: Tables, count: int) -> Iterator[Row]:
    for what in ROWS["diagnose"]:
        if lack := tables.lack(what):
            yield what, lack, *([""] * 6)
            continue
        cells: list[str] = []
        for job in JOBS:
            if not tables.figures.has(name_of(job, what), count):
                cells += [""] * 3
                continue
            over = tables.ratio(job, what, FLOOR, count, wall)
            cells.append(f"{number(tables.value(job, what, count, wall))} s ({number(over)}x)")
            cells.append(f"{number(tables.value(job, what, count, cpu) / count * 1000)} ms")
            if job == "diagnose":
                cells.append(f"{number(tables.value(job, what, count, together) / MIB)} MiB")
            cells.append(f"{number(tables.value(job, what, count, host_cpu) / count * 1000)} ms")
        yield what, *cells


def paid_rows(tables: Tables) -> Iterator[Row]:
    """Processes and memory on the host above those of a login that does nothing."""
    for what in ROWS["diagnose"]:
        if not tables.lack(what):
            yield what, *(above_login(tables, job, what, value) for job in JOBS for value in (forks, mebibytes))


def mebibytes(cost: Cost) -> float:
    return cost.host_memory / MIB


def above_login(tables: Tables, job: str, what: str, value: Callable[[Cost], float]) -> float:
    return tables.counted(job, what, value) - tables.counted(LOGIN, LOGIN, value)


def goal_rows(tables: Tables) -> Iterator[Row]:
    for goal, value in goals(tables):
        yield goal.what, goal.limit, goal.verdict(value)


def goals(tables: Tables) -> Iterator[tuple[Goal, float]]:
    """The goals that are measured here, and what was reached."""
    most, few = max(tables.counts), min(tables.counts)
    many, one = hosts_in_words(most), hosts_in_words(few)
    for said, what in (("diagnose", OURS), ("diagnose --quick", QUICK)):
        over = [tables.ratio("diagnose", what, FLOOR, most, value) for value in (wall, cpu)]
        yield Goal(f"{many}: {said}, wall / floor", 1.0), over[0]
        yield Goal(f"{many}: {said}, controller CPU / floor", 1.5), over[1]
    for job, limits in {
        "diagnose": {DEFAULT: 50, OPTIMISED: 7, PYINFRA: 1.6},
        "remediate": {OPTIMISED: 20, PYINFRA: 1.5},
    }.items():
        ours = QUICK if job == "diagnose" else OURS
        for peer, times in limits.items():
            goal = Goal(f"{many}: {TITLES[job].lower()}, wall of {peer} / ours", times, at_least=True)
            yield goal, tables.ratio(job, peer, ours, most, wall)
    yield Goal(f"{many}: five steps, wall / floor", 1.3), tables.ratio("remediate", OURS, FLOOR, most, wall)
    yield Goal(f"{one}: diagnose --quick, wall / floor", 2.5), tables.ratio("diagnose", QUICK, FLOOR, few, wall)
    goal = Goal(f"{one}: diagnose, wall of {OPTIMISED} / ours", 3, at_least=True)
    yield goal, tables.ratio("diagnose", OPTIMISED, QUICK, few, wall)
    yield Goal(f"{one}: diagnose, controller CPU", 0.5, "s"), tables.value("diagnose", OURS, few, cpu)
    yield Goal(f"{one}: diagnose, controller CPU / {PYINFRA}", 1.0), tables.ratio("diagnose", OURS, PYINFRA, few, cpu)
    yield Goal(f"{one}: diagnose, controller memory", 90, "MiB"), tables.value("diagnose", OURS, few, memory) / MIB
    held = [tables.value("diagnose", OURS, count, memory) for count in (*tables.counts[-2:-1], most)]
    yield Goal(f"{many}: diagnose, controller memory", 96, "MiB"), held[-1] / MIB
    fewer = tables.counts[-2] if len(tables.counts) > 1 else most
    yield Goal(f"growth from {fewer} to {many}", 128, "KiB a host"), growth(held[0], held[-1], most - fewer) / KIB
    for job, limit in {"diagnose": 4, "remediate": 12}.items():
        yield Goal(f"processes on the host: {TITLES[job].lower()}", limit), above_login(tables, job, OURS, forks)
        held_there = above_login(tables, job, OURS, mebibytes)
        yield Goal(f"memory on the host: {TITLES[job].lower()}", 2, "MiB"), held_there


def write(told: Told, tables: Tables) -> None:
    """Puts the tables between their markers; SystemExit where a page has none."""
    for which, path in PAGES.items():
        text = path.read_text(encoding="utf-8")
        lines = short(told, tables) if which == "short" else [deeper(part) for part in long(told, tables)]
        path.write_text(replaced(text, "\n".join(lines), path.name), encoding="utf-8")


def deeper(part: str) -> str:
    """One level of headings down: the tables stand in a section of the page."""
    return part.replace("### ", "#### ", 1) if part.startswith("### ") else part


def replaced(text: str, tables: str, name: str) -> str:
    """The page with other tables between its markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{name}: there is no place for the tables between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"
