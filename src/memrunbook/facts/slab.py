"""Kernel objects (slab): how much RAM they hold, and how much of that the kernel can take back."""

from __future__ import annotations

from typing import Annotated

from memrunbook.core.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts import numbers
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.sampling import Readings, latest


class SlabReading(Reading, frozen=True, kw_only=True):
    """Slab memory; percentages are of RAM."""

    total_bytes: Annotated[int, Doc("all kernel objects", Unit.BYTES, "/proc/meminfo Slab")]
    reclaimable_bytes: Annotated[
        int | None, Doc("mostly dentries and inodes: given back on demand", Unit.BYTES, "/proc/meminfo SReclaimable")
    ] = None
    reclaimable_percent: Annotated[
        float | None, Doc("reclaimable share of RAM", Unit.PERCENT, "SReclaimable / MemTotal")
    ] = None
    unreclaimable_bytes: Annotated[
        int | None, Doc("never given back while in use", Unit.BYTES, "/proc/meminfo SUnreclaim")
    ] = None
    unreclaimable_percent: Annotated[
        float | None, Doc("unreclaimable share of RAM", Unit.PERCENT, "SUnreclaim / MemTotal")
    ] = None


def parse(samples: Samples, _readings: Readings) -> SlabReading | Unavailable:
    """Reads the totals of meminfo: slabinfo needs root and a lock."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    if "Slab" not in info:
        return Unavailable("absent", f"{MEMINFO} holds no Slab")
    total, kept = info.get("MemTotal"), info.get("SUnreclaim")
    reclaimable = info.get("SReclaimable")
    return SlabReading(
        total_bytes=info["Slab"],
        reclaimable_bytes=reclaimable,
        reclaimable_percent=numbers.share(reclaimable, total),
        unreclaimable_bytes=kept,
        unreclaimable_percent=numbers.share(kept, total),
    )


FACT = Fact(reading=SlabReading, parse=parse, asks=(Read(MEMINFO, each=True),), meaning="memory of kernel objects")
