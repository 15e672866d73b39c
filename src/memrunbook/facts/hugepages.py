"""The pools of huge pages: what is set aside, what is promised and what lies idle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Sample, Samples, Unavailable
from memrunbook.core.units import SIZES, Unit
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings, latest

POOL = "/sys/kernel/mm/hugepages/hugepages-"
COUNTS = ("nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages")


class HugepagePool(Struct, frozen=True):
    """The pool of one size."""

    name: Annotated[str, Doc("its size as people say it", source=f"{POOL}*kB")]
    size_bytes: Annotated[int, Doc("size of a page", Unit.BYTES, f"{POOL}*kB")]
    total: Annotated[int, Doc("pages, in use or not", Unit.COUNT, f"{POOL}*kB nr_hugepages")]
    free: Annotated[int, Doc("of these, not in use", Unit.COUNT, f"{POOL}*kB free_hugepages")]
    reserved: Annotated[int, Doc("of the free ones, promised to a process", Unit.COUNT, f"{POOL}*kB resv_hugepages")]
    surplus: Annotated[int, Doc("beyond the configured number", Unit.COUNT, f"{POOL}*kB surplus_hugepages")]
    idle_bytes: Annotated[int, Doc("free and not promised", Unit.BYTES, f"{POOL}*kB free - resv")]


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
    pools: Annotated[list[HugepagePool], Doc("the pool of every size, most idle memory first", source=f"{POOL}*kB")]


def parse(samples: Samples, _readings: Readings) -> HugepagesReading | Unavailable:
    """Reads meminfo for the default size and sysfs for all others (2.6.27+)."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    total, size = info.get("HugePages_Total"), info.get("Hugepagesize")
    if total is None or size is None:
        return Unavailable("absent", "this kernel has no huge page pools")
    own = _pool(size, total, *(info.get(f"HugePages_{name}", 0) for name in ("Free", "Rsvd", "Surp")))
    pools = [own, *(pool for pool in _pools(samples[0]) if pool.size_bytes != size)]
    idle = min(sum(pool.idle_bytes for pool in pools), numbers.MOST)
    return HugepagesReading(
        total=own.total,
        free=own.free,
        reserved=own.reserved,
        surplus=own.surplus,
        size_bytes=size,
        idle_bytes=idle,
        idle_percent=numbers.share(idle, info.get("MemTotal")),
        all_bytes=min(sum(pool.size_bytes * pool.total for pool in pools), numbers.MOST),
        pools=sorted(pools, key=lambda pool: pool.idle_bytes, reverse=True),
    )


def _pools(sample: Sample) -> Iterator[HugepagePool]:
    for path in sample.matching(POOL, f"/{COUNTS[0]}"):
        pool = path.removesuffix(f"/{COUNTS[0]}")
        size = re.fullmatch(r"(\d{1,12})kB", pool.removeprefix(POOL), re.ASCII)
        counts = [numbers.whole(sample.get(f"{pool}/{name}").text) or 0 for name in COUNTS]
        if size:
            yield _pool(int(size[1]) * numbers.KIB, *counts)


def _pool(size: int, total: int, free: int, reserved: int, surplus: int) -> HugepagePool:
    idle = min(size * max(free - reserved, 0), numbers.MOST)
    return HugepagePool(_name(size), size, total, free, reserved, surplus, idle)


def _name(size: int) -> str:
    """Sizes are powers of two: "64 KiB", "2 MiB", "1 GiB"."""
    unit = next(unit for unit in ("GiB", "MiB", "KiB", "B") if size % SIZES[unit] == 0)
    return f"{size // SIZES[unit]} {unit}"


FACT = Fact(
    reading=HugepagesReading,
    parse=parse,
    asks=(Read(MEMINFO, each=True), *(Read(f"{POOL}*kB/{name}", lines=1) for name in COUNTS)),
    meaning="pools of huge pages",
)
