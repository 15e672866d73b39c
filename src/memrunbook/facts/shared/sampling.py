"""What several samples say of one file: its newest text, and how fast its counters grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from memrunbook.core.reading.fact import Answer, Reading, Samples, Unavailable
from memrunbook.facts.shared import numbers

Readings = Mapping[str, Reading | Unavailable]
FieldValues = dict[str, Any]
Gaps = dict[str, Unavailable]

LEAST_SECONDS = 0.05
"""The kernel gives its uptime in steps of 0.01 s: a rate over less than five of them says nothing."""

ONE_SAMPLE = Unavailable("failed", "a rate needs two samples")
ABSENT = Unavailable("absent", "this kernel does not count it")
NO_PAGE_SIZE = Unavailable("failed", "the page size is unknown")
WENT_DOWN = Unavailable("failed", "the counter went down between two samples")


class Interval(NamedTuple):
    """Two samples of one file of counters that follow one another."""

    seconds: float
    before: Mapping[str, int]
    after: Mapping[str, int]


class Rate(NamedTuple):
    """Counters to add up, what one count is worth, and whether the lowest interval is meant or the last."""

    names: tuple[str, ...]
    worth: int = 1
    lowest: bool = False


def latest(samples: Samples, key: str) -> Answer:
    """The newest text of a question; where no sample has one, what the first said."""
    return next((s.get(key) for s in reversed(samples) if s.text(key) is not None), samples[0].get(key))


def intervals(samples: Samples, key: str) -> list[Interval]:
    """The intervals between samples that hold this file of counters.

    A probe reads its files first: the uptime before a sample is nearer to their moment than the one after it.
    """
    read = [(s.before, numbers.keyed(text)) for s in samples if (text := s.text(key)) is not None]
    pairs = [Interval(end - start, before, after) for (start, before), (end, after) in pairwise(read)]
    return [pair for pair in pairs if pair.seconds >= LEAST_SECONDS]


def grown(interval: Interval, names: Iterable[str]) -> int | Unavailable:
    """By how much these counters grew together; names change between kernels: those that are there count."""
    known = [name for name in names if name in interval.before and name in interval.after]
    if not known:
        return ABSENT
    steps = [interval.after[name] - interval.before[name] for name in known]
    return sum(steps) if min(steps) >= 0 else WENT_DOWN


def per_second(pairs: list[Interval], rate: Rate) -> float | Unavailable:
    """The rate over the last interval, or the lowest of all intervals whose counters did not go down."""
    if not pairs:
        return ONE_SAMPLE
    speeds = [_speed(pair, rate) for pair in pairs]
    known = [speed for speed in speeds if not isinstance(speed, Unavailable)]
    return min(known) if rate.lowest and known else speeds[-1]


def whole_per_second(pairs: list[Interval], rate: Rate) -> int | Unavailable | None:
    """The same as a whole number, None where it does not fit 64 bits."""
    speed = per_second(pairs, rate)
    return speed if isinstance(speed, Unavailable) else numbers.fits(int(speed))


def split(found: Mapping[str, Any]) -> tuple[FieldValues, Gaps]:
    """Divides values from reasons why there is none."""
    gaps = {name: value for name, value in found.items() if isinstance(value, Unavailable)}
    return {name: value for name, value in found.items() if name not in gaps}, gaps


def _speed(pair: Interval, rate: Rate) -> float | Unavailable:
    steps = grown(pair, rate.names)
    return steps if isinstance(steps, Unavailable) else steps * rate.worth / pair.seconds
