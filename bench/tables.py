"""The tables of `bench.fleet`: what was measured, what it is to be, and what changed between two checkouts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from bench.figures import KIB, MIB, Figures, Goal, further, growth, table
from bench.meter import Cost

Row = tuple[str | float, ...]


def wall(cost: Cost) -> float:
    return cost.wall


def cpu(cost: Cost) -> float:
    return cost.cpu


def host_cpu(cost: Cost) -> float:
    return cost.host_cpu


def memory(cost: Cost) -> float:
    return cost.memory


def hosts_in_words(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def report(where: str, figures: Figures, counts: list[int], names: list[str], probed: int) -> list[str]:
    """All tables, in Markdown."""
    probed = min(probed, max(counts))
    heads = ["contestant", "wall s", "/ floor", "CPU ms a host", "/ floor", "host CPU ms a host", "/ floor", "MiB"]
    parts = [
        f"{where}.\n",
        table("A fleet", heads, [row for count in counts for row in fleet_rows(figures, count, names)]),
        table(
            "What the hosts pay",
            ["contestant", "host CPU ms a host", "/ reference"],
            sample_rows(figures, probed, names),
        ),
        table("Goals", ["what", "goal", *names], goal_rows(figures, counts, names, probed)),
    ]
    for name in names[1:]:
        heads = [f"{name} / {names[0]}", "wall", "CPU", "host CPU", "memory"]
        parts.append(table(f"{name} against {names[0]}", heads, change_rows(figures, counts, names[0], name, probed)))
    return parts


def fleet_rows(figures: Figures, count: int, names: list[str]) -> Iterator[Row]:
    """A row a contestant. The floor's memory is that of single clients: no figure to compare."""
    for what in ("floor", *(f"diagnose {name}" for name in names)):
        cells: list[str | float] = [f"{what}, {hosts_in_words(count)}"]
        cells += [figures.median(what, count, wall), figures.ratio(what, "floor", count, wall)]
        for value in (cpu, host_cpu):
            cells += [figures.median(what, count, value) / count * 1000, figures.ratio(what, "floor", count, value)]
        cells.append(nan if what == "floor" else figures.median(what, count, memory) / MIB)
        yield tuple(cells)


def sample_rows(figures: Figures, count: int, names: list[str]) -> Iterator[Row]:
    """What a login, the reference probe, and one and three samples cost a host."""
    words = {"login": "login alone: ssh HOST true", "reference": "reference probe, login included"}
    words |= {f"1 {name}": f"{name}, one sample" for name in names}
    words |= {f"3 {name}": f"{name}, three samples" for name in names}
    for what, said in words.items():
        if figures.has(what, count):
            each = figures.median(what, count, host_cpu) / count * 1000
            yield said, each, figures.ratio(what, "reference", count, host_cpu)


def goal_rows(figures: Figures, counts: list[int], names: list[str], probed: int) -> Iterator[Row]:
    """Every goal, and for each `runbook` what was measured and whether that meets it."""
    reached = [goals_of(figures, counts, name, probed) for name in names]
    for place, (goal, _) in enumerate(reached[0]):
        yield goal.what, goal.limit, *(goal.verdict(each[place][1]) for each in reached)


def goals_of(figures: Figures, counts: list[int], name: str, probed: int) -> list[tuple[Goal, float]]:
    """The goals and what this `runbook` reached; not a number where that was not measured."""
    what, most = f"diagnose {name}", max(counts)
    fewer = counts[-2] if len(counts) > 1 else most
    grown = growth(figures.median(what, fewer, memory), figures.median(what, most, memory), most - fewer)
    return [
        (Goal(f"wall / floor, {hosts_in_words(most)}", 1.0), figures.ratio(what, "floor", most, wall)),
        (Goal(f"controller CPU a host / floor, {hosts_in_words(most)}", 1.5), figures.ratio(what, "floor", most, cpu)),
        (
            Goal("host CPU, first sample / reference probe", 1.3),
            figures.ratio(f"1 {name}", "reference", probed, host_cpu),
        ),
        (Goal("host CPU, each further sample / reference probe", 0.3), _further(figures, name, probed)),
        (Goal("one host: wall / floor", 2.5), figures.ratio(what, "floor", 1, wall)),
        (Goal("one host: CPU", 0.5, "s"), figures.median(what, 1, cpu)),
        (Goal("one host: memory", 90, "MiB"), figures.median(what, 1, memory) / MIB),
        (Goal(f"{hosts_in_words(most)}: memory", 96, "MiB"), figures.median(what, most, memory) / MIB),
        (Goal(f"growth from {fewer} to {hosts_in_words(most)}", 128, "KiB a host"), grown / KIB),
        (Goal("--help: CPU above python", 100, "ms"), _start(figures, "help", name)),
        (Goal("list: CPU above python", 100, "ms"), _start(figures, "list", name)),
    ]


def change_rows(figures: Figures, counts: list[int], before: str, after: str, probed: int) -> Iterator[Row]:
    """Ratios of two checkouts, each of the same round."""
    compared = [(f"diagnose, {hosts_in_words(count)}", "diagnose", count) for count in counts]
    compared += [("facts, one sample", "1", probed), ("facts, three samples", "3", probed)]
    for said, what, count in compared:
        old, new = f"{what} {before}", f"{what} {after}"
        values = [figures.ratio(new, old, count, value) for value in (wall, cpu, host_cpu, memory)]
        yield said, *values


def _further(figures: Figures, name: str, count: int) -> float:
    first, three = (figures.of(f"{number} {name}", count, host_cpu) for number in (1, 3))
    return further(first, three, figures.of("reference", count, host_cpu))


def _start(figures: Figures, what: str, name: str) -> float:
    """CPU ms above that of an empty Python; the least of all rounds, since noise only adds."""
    ours, empty = (figures.of(f"{one} {name}", 0, cpu) for one in (what, "python"))
    return (min(ours) - min(empty)) * 1000 if ours and empty else nan
