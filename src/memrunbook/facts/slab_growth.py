"""Which caches of kernel objects grow: they are read a second time where the kernel's memory as a whole grows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Cut, Doc, Fact, Question, Reading, Samples, Unavailable, Whole
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.shared.sampling import LEAST_SECONDS, NO_PAGE_SIZE, Readings
from memrunbook.facts.slab import SLABINFO, SlabReading, sizes

MOST_SHOWN = 5
SPEED = "growth_bytes_per_second"
QUIET = Cut("the kernel's memory as a whole does not grow: its caches were not looked at a second time")
SOURCE = f"{SLABINFO} num_slabs x pagesperslab, twice"


class GrowingCache(Struct, frozen=True):
    """One cache that grew between the first sample and the end."""

    name: Annotated[str, Doc("name of the cache", source=SLABINFO)]
    bytes: Annotated[int, Doc("RAM of its slabs", Unit.BYTES, SOURCE)]
    growth_bytes_per_second: Annotated[int, Doc("how fast it grew", Unit.BYTES_PER_SECOND, SOURCE)]


class SlabGrowthReading(Reading, frozen=True, kw_only=True):
    """Caches that grew; none where the kernel's memory does not grow, as then nobody looks a second time."""

    caches: Annotated[list[GrowingCache], Doc("the five that grew most, fastest first (root)", source=SOURCE)]


def follow(readings: Readings) -> tuple[Question, ...]:
    """Asks for the caches again where unreclaimable slab memory grows."""
    return (Whole(SLABINFO),) if _grows(readings) else ()


def parse(samples: Samples, readings: Readings) -> SlabGrowthReading | Unavailable:
    """Compares the caches of the first sample with those behind the last one."""
    slab = readings.get("slab", Unavailable("failed", "slab was not read"))
    if isinstance(slab, Unavailable):
        return slab
    if not _grows(readings):
        return SlabGrowthReading(caches=[], cut={"caches": QUIET})
    first, last = samples[0], samples[-1]
    problem = first.get(SLABINFO).problem or last.get(SLABINFO).problem
    page, seconds = page_size(readings), last.before - first.before
    if problem is not None or page is None or seconds < LEAST_SECONDS:
        return problem or NO_PAGE_SIZE
    before, after = (sizes(one.text(SLABINFO) or "", page) for one in (first, last))
    grown = {name: int((size - before.get(name, 0)) / seconds) for name, size in after.items()}
    fastest = sorted((name for name in grown if grown[name] > 0), key=lambda name: grown[name], reverse=True)
    rest = [grown[name] for name in fastest[MOST_SHOWN:]]
    return SlabGrowthReading(
        caches=[GrowingCache(name, after[name], grown[name]) for name in fastest[:MOST_SHOWN]],
        cut={"caches": Cut(f"{len(rest)} caches that grow less are not in the list", {SPEED: rest[0] + 1.0})}
        if rest
        else {},
    )


def _grows(readings: Readings) -> bool:
    slab = readings.get("slab")
    return isinstance(slab, SlabReading) and slab.growing


FACT = Fact(
    reading=SlabGrowthReading,
    parse=parse,
    asks=(Whole(SLABINFO),),
    needs=("host", "slab"),
    meaning="which caches of kernel objects grow",
    follow=follow,
)
