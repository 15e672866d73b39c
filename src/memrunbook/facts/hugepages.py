"""The pools of huge pages: what is set aside, what is promised and what lies idle."""

from __future__ import annotations

import re
from typing import Annotated

from memrunbook.core.fact import Doc, Fact, Read, Reading, Sample, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts import numbers
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.sampling import Readings, latest

POOL = "/sys/kernel/mm/hugepages/hugepages-"
COUNTS = ("nr_hugepages", "free_hugepages", "resv_hugepages")


class HugepagesReading(Reading, frozen=True, kw_only=True):
    """The pool of the default size; `idle` and `all` speak of the pools of every size."""

    total: Annotated[int, Doc("pages of the default size", Unit.COUNT, "/proc/meminfo HugePages_Total")]
    free: Annotated[int, Doc("of these, not in use", Unit.COUNT, "/proc/meminfo HugePages_Free")]
    reserved: Annotated[int, Doc("of the free ones, promised to a process", Unit.COUNT, "/proc/meminfo HugePages_Rsvd")]
    surplus: Annotated[int, Doc("beyond the configured number", Unit.COUNT, "/proc/meminfo HugePages_Surp")]
    size_bytes: Annotated[int, Doc("the default size", Unit.BYTES, "/proc/meminfo Hugepagesize")]
    idle_bytes: Annotated[int, Doc("free and not promised, every size", Unit.BYTES, f"{POOL}*kB free - resv")]
    idle_percent: Annotated[float | None, Doc("idle share of RAM", Unit.PERCENT, "idle / MemTotal")] = None
    all_bytes: Annotated[int, Doc("RAM in huge pages of every size", Unit.BYTES, f"{POOL}*kB nr_hugepages")]


def parse(samples: Samples, _readings: Readings) -> HugepagesReading | Unavailable:
    """Reads meminfo for the default size and sysfs for all others (2.6.27+)."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    total, size = info.get("HugePages_Total"), info.get("Hugepagesize")
    if total is None or size is None:
        return Unavailable("absent", "this kernel has no huge page pools")
    free, reserved = info.get("HugePages_Free", 0), info.get("HugePages_Rsvd", 0)
    pools = _pools(samples[0]) | {size: (total, free, reserved)}
    idle = sum(size * max(free - reserved, 0) for size, (_, free, reserved) in pools.items())
    kept = sum(size * total for size, (total, _, _) in pools.items())
    return HugepagesReading(
        total=total,
        free=free,
        reserved=reserved,
        surplus=info.get("HugePages_Surp", 0),
        size_bytes=size,
        idle_bytes=min(idle, numbers.MOST),
        idle_percent=numbers.share(idle, info.get("MemTotal")),
        all_bytes=min(kept, numbers.MOST),
    )


def _pools(sample: Sample) -> dict[int, tuple[int, int, int]]:
    """Total, free and reserved pages by size in bytes."""
    found = {}
    for path in sample.matching(POOL, f"/{COUNTS[0]}"):
        pool = path.removesuffix(f"/{COUNTS[0]}")
        size = re.fullmatch(r"(\d{1,12})kB", pool.removeprefix(POOL), re.ASCII)
        total, free, reserved = (numbers.whole(sample.get(f"{pool}/{name}").text) or 0 for name in COUNTS)
        if size:
            found[int(size[1]) * numbers.KIB] = (total, free, reserved)
    return found


FACT = Fact(
    reading=HugepagesReading,
    parse=parse,
    asks=(Read(MEMINFO, each=True), *(Read(f"{POOL}*kB/{name}", lines=1) for name in COUNTS)),
    meaning="pools of huge pages",
)
