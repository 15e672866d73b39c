"""The recordings of tests/hosts as hosts of a benchmark: sick and healthy ones, each host with ids of its own."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from msgspec import structs

from memrunbook.core.reading.fact import Sample
from memrunbook.transports.shared.bundle import read_bundle

RECORDED = Path(__file__).parents[1] / "tests" / "hosts"
SICK = re.compile(r"^(?:memory-shortage|oom-event): an incident", re.MULTILINE)
BOOT = re.compile(r"^boot_id (\S+)$", re.MULTILINE)
AGAIN, APART = 60, 10.0
"""The last sample of a recording is given so often again, each time so many seconds later: nothing moves any more."""


@cache
def kinds() -> tuple[list[str], list[str]]:
    """The recordings of sick hosts, and those of healthy ones, by what is said of them."""
    said = {path.name.removesuffix(".plan.txt"): path.read_text("utf-8") for path in RECORDED.glob("*.plan.txt")}
    sick = sorted(name for name, text in said.items() if SICK.search(text))
    return sick, sorted(name for name in said if name.endswith("-healthy"))


@cache
def samples(kind: str) -> tuple[Sample, ...]:
    found = read_bundle(RECORDED / f"{kind}.txt")
    last = found[-1]
    later = (
        structs.replace(last, before=last.before + more * APART, after=last.after + more * APART)
        for more in range(1, AGAIN + 1)
    )
    return (*found, *later)


@cache
def ids(kind: str) -> tuple[str, str]:
    """The machine-id and the boot-id in a recording."""
    answers = samples(kind)[0].answers
    boot = BOOT.search(answers["host"].text)
    return answers["/etc/machine-id"].text.strip(), boot[1] if boot else ""


def own_ids(name: str) -> tuple[str, str]:
    digits = hashlib.sha256(name.encode()).hexdigest()
    return digits[:32], "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
