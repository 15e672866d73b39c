"""What the walks printed of processes, sample by sample, and how fast each of them faulted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from memrunbook.core.reading.fact import Sample, Samples
from memrunbook.core.reading.figures import Holders
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import LEAST_SECONDS

WALK, DETAIL = "processes", "process-details"
STAT_FIELDS = (1, 7, 9, 17, 19)
"""Fields 4, 10, 12, 20 and 22 of proc(5), counted from the state, the first behind the name."""
USUAL_STAT = re.compile(
    r" \S (\d{1,18}) (?:[-\d]+ ){5}(\d{1,18}) \d+ (\d{1,18}) (?:[-\d]+ ){7}(\d{1,18}) \d+ (\d{1,18}) ", re.ASCII
)
"""The same fields as the kernel writes them: read at once, since they come by the hundred."""

REMEMBERED = Holders(
    "process",
    "all",
    {"own_bytes": ("anonymous_bytes", "swap_bytes")},
    name=("name", "pid"),
    life=("pid", "start_ticks"),
    most=10,
    least=("age_seconds", 3600.0),
)
"""What the history keeps of processes: those that come and go by the thousands have none."""
Key = tuple[int, int]
"""Pid and start: the identity of a process until the next boot."""


class Rates(NamedTuple):
    """Faults a second of one process, and its part of all major ones."""

    major: float
    minor: float
    share: float


class Stat(NamedTuple):
    """What `stat` says of a process."""

    name: str
    parent: int
    minor_faults: int
    major_faults: int
    threads: int
    start: int


class ProcessLines(NamedTuple):
    """What a walk printed of one process, by the first word of each line."""

    key: Key
    stat: Stat
    block: dict[str, str]


def is_whole(sample: Sample) -> bool:
    """True for a sample of the whole walk: the details of later ones are still those of the first."""
    return "\nseen " in f"\n{sample.text(WALK)}"


def blocks_of(text: str) -> Iterator[dict[str, str]]:
    """The lines of each process by their first word: every line has one of ours, so no name can forge another's."""
    block: dict[str, str] = {}
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "pid":
            yield block
            block = {"pid": rest}
        else:
            block[word] = f"{block[word]}\n{rest}" if word in block else rest
    yield block


def told_of(block: dict[str, str]) -> ProcessLines | None:
    """The process of a block; None where it makes no sense."""
    pid, stat = numbers.whole(block.get("pid", "")), _stat(block.get("stat", ""))
    return None if pid is None or stat is None else ProcessLines((pid, stat.start), stat, block)


def rates_of(samples: Samples, whole: Sample, known: Mapping[Key, ProcessLines]) -> dict[Key, Rates]:
    """The faults a second of those processes between the first and the last sample that know them."""
    seen: dict[Key, list[tuple[float, Stat]]] = defaultdict(list)
    for sample in samples:
        for one in known.values() if sample is whole else _told_by(sample):
            seen[one.key].append((sample.before, one.stat))
    speeds = {key: speed for key, points in seen.items() if (speed := _speed(points)) is not None}
    total = sum(major for major, _ in speeds.values())
    return {key: Rates(major, minor, major / total if total else 0.0) for key, (major, minor) in speeds.items()}


def _told_by(sample: Sample) -> list[ProcessLines]:
    details = sample.text(DETAIL) if is_whole(sample) else ""
    blocks = blocks_of(f"{sample.text(WALK) or ''}\n{details or ''}")
    return [one for one in map(told_of, blocks) if one]


def _speed(points: list[tuple[float, Stat]]) -> tuple[float, float] | None:
    """Major and minor faults a second."""
    (began, first), (ended, last) = points[0], points[-1]
    if ended - began < LEAST_SECONDS:
        return None
    steps = (last.major_faults - first.major_faults, last.minor_faults - first.minor_faults)
    return (steps[0] / (ended - began), steps[1] / (ended - began)) if min(steps) >= 0 else None


def _stat(text: str) -> Stat | None:
    """A name may hold anything, so what counts is behind the last parenthesis."""
    before, _, after = text.rpartition(")")
    name = before.partition("(")[2]
    if usual := USUAL_STAT.match(after):
        return Stat(name, *map(int, usual.groups()))
    fields = after.split()
    if len(fields) <= max(STAT_FIELDS):
        return None
    words = [fields[place] for place in STAT_FIELDS]
    if not all(map(numbers.is_whole, words)):
        return None
    found = [int(word) for word in words]
    return Stat(name, *found) if max(found) <= numbers.MOST else None
