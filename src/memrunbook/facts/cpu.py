"""What the processors did between our samples, as far as it tells of memory: idle, waiting for a disk."""

from __future__ import annotations

import re
from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.shared.sampling import ONE_SAMPLE, Readings, latest

STAT = "/proc/stat"
FIELDS, IOWAIT = 8, 4
"""user nice system idle iowait irq softirq steal; guest time is part of user and would count twice (proc(5))."""
_LINE = re.compile(r"cpu +((?:\d{1,19} ){4,}\d{1,19})\s*$", re.ASCII | re.MULTILINE)


class CpuReading(Reading, frozen=True, kw_only=True):
    """Shares of the time of all processors together, over our own samples."""

    iowait_percent: Annotated[
        float | None, Doc("idle while a task waited for a disk", Unit.PERCENT, f"{STAT} iowait")
    ] = None


def parse(samples: Samples, _readings: Readings) -> CpuReading | Unavailable:
    """Reads the first line of all samples; a share needs two of them."""
    answer = latest(samples, STAT)
    if answer.problem:
        return answer.problem
    counters = [
        [int(word) for word in line[1].split()[:FIELDS]] for sample in samples if (line := _line(sample.text(STAT)))
    ]
    if not counters:
        return Unavailable("failed", f"{STAT} holds no line of all processors")
    share = _share(counters[0], counters[-1]) if len(counters) > 1 else ONE_SAMPLE
    if isinstance(share, Unavailable):
        return CpuReading(unavailable={"iowait_percent": share})
    return CpuReading(iowait_percent=share)


def _line(text: str | None) -> re.Match[str] | None:
    return _LINE.match(text or "")


def _share(first: list[int], last: list[int]) -> float | Unavailable:
    steps = [after - before for before, after in zip(first, last, strict=False)]
    if steps[IOWAIT] < 0:
        return Unavailable("failed", "iowait went down between two samples, as it may (proc(5))")
    total = sum(step for step in steps if step > 0)
    return min(100.0 * steps[IOWAIT] / total, 100.0) if total else ONE_SAMPLE


FACT = Fact(
    reading=CpuReading,
    parse=parse,
    asks=(Read(STAT, lines=1, each=True),),
    meaning="time of the processors",
)
