"""Medians, ratios of the same round, goals and Markdown tables of what was measured. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import isnan, nan

from bench.meter import Cost

MIB = 1 << 20
KIB = 1 << 10
Value = Callable[[Cost], float]
Key = tuple[str, int]


@dataclass
class Figures:
    """Every cost by what was measured and on how many hosts: one a round, those of one place belong together."""

    costs: dict[Key, list[Cost]] = field(default_factory=dict)

    def add(self, what: str, hosts: int, cost: Cost) -> None:
        self.costs.setdefault((what, hosts), []).append(cost)

    def has(self, what: str, hosts: int) -> bool:
        return bool(self.costs.get((what, hosts)))

    def of(self, what: str, hosts: int, value: Value) -> list[float]:
        """A value of each round."""
        return [value(cost) for cost in self.costs.get((what, hosts), [])]

    def median(self, what: str, hosts: int, value: Value) -> float:
        return median(self.of(what, hosts, value))

    def ratio(self, what: str, to: str, hosts: int, value: Value) -> float:
        return ratio(self.of(what, hosts, value), self.of(to, hosts, value))


@dataclass(frozen=True)
class Goal:
    """What is to be reached: at most so much of a unit (empty: a ratio), or at least so much."""

    what: str
    bound: float
    unit: str = ""
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def verdict(self, value: float) -> str:
        """The value and whether it meets the goal; a dash where it was not measured."""
        if isnan(value):
            return "-"
        return f"{number(value)}, {'met' if self.met(value) else '**missed**'}"

    @property
    def limit(self) -> str:
        return f"{'>=' if self.at_least else '<='} {number(self.bound)}{' ' + self.unit if self.unit else ''}"


def median(values: Sequence[float]) -> float:
    """The median; not a number for none."""
    return statistics.median(values) if values else nan


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of each round: what slows down a whole round slows down both. Zeros have no ratio."""
    return median([one / other for one, other in zip(over, under, strict=False) if other])


def growth(smaller: float, larger: float, hosts: int) -> float:
    """By how much something grows with each of so many more hosts."""
    return (larger - smaller) / hosts if hosts else nan


def further(first: Sequence[float], three: Sequence[float], reference: Sequence[float]) -> float:
    """What each of the second and third sample costs, by the reference of the same round."""
    return ratio([(all_of_it - one) / 2 for one, all_of_it in zip(first, three, strict=True)], reference)


def number(value: float) -> str:
    """Three digits that count, a dash for what was not measured."""
    if isnan(value):
        return "-"
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{decimals}f}"


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    """A Markdown table; the first column holds words, the others numbers."""
    lines = [[one if isinstance(one, str) else number(one) for one in row] for row in rows]
    marks = ["---", *("---:" for _ in heads[1:])]
    body = "\n".join("| " + " | ".join(line) + " |" for line in [list(heads), marks, *lines])
    return f"### {title}\n\n{body}\n" if title else f"{body}\n"
