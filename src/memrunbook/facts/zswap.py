"""zswap, the compressed cache in front of swap: how it is set, what it holds and how much RAM that takes."""

from __future__ import annotations

from typing import Annotated

from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, Readings, latest, split

FOLDER = "/sys/module/zswap/parameters"
ENABLED, PERCENT, COMPRESSOR = f"{FOLDER}/enabled", f"{FOLDER}/max_pool_percent", f"{FOLDER}/compressor"
POOL = "/sys/kernel/debug/zswap/pool_total_size"
STORED = "/sys/kernel/debug/zswap/stored_pages"

PoolSize = int | Unavailable | None


class ZswapReading(Reading, frozen=True, kw_only=True):
    """Settings of zswap; it may hold pages for a while after it was switched off."""

    enabled: Annotated[bool, Doc("it takes pages", source=ENABLED)]
    max_pool_percent: Annotated[float | None, Doc("most that it takes of RAM", Unit.PERCENT, PERCENT)] = None
    compressor: Annotated[str | None, Doc("how it compresses", source=COMPRESSOR)] = None
    pool_bytes: Annotated[
        int | None, Doc("RAM that it takes", Unit.BYTES, f"/proc/meminfo Zswap (5.19+), {POOL} (root)")
    ] = None
    stored_bytes: Annotated[
        int | None, Doc("what it holds, uncompressed", Unit.BYTES, f"/proc/meminfo Zswapped (5.19+), {STORED} (root)")
    ] = None
    ratio: Annotated[float | None, Doc("what it holds by RAM taken", Unit.RATIO, "stored / pool")] = None


def parse(samples: Samples, readings: Readings) -> ZswapReading | Unavailable:
    """Reads the settings and sizes; kernels before 5.19 tell the sizes only to root, with debugfs mounted."""
    answer = latest(samples, ENABLED)
    if answer.problem:
        return answer.problem
    enabled = {"Y": True, "N": False}.get(answer.text.strip())
    if enabled is None:
        return Unavailable("failed", f"{ENABLED} says neither Y nor N")
    info = numbers.keyed(latest(samples, MEMINFO).text)
    older = latest(samples, POOL)
    pool = info.get("Zswap", older.problem or numbers.whole(older.text))
    stored = info.get("Zswapped", _in_bytes(latest(samples, STORED), page_size(readings)))
    most = numbers.whole(latest(samples, PERCENT).text)
    values, gaps = split({"pool_bytes": pool, "stored_bytes": stored, "ratio": _ratio(stored, pool)})
    return ZswapReading(
        enabled=enabled,
        max_pool_percent=None if most is None else float(most),
        compressor=latest(samples, COMPRESSOR).text.strip()[:64] or None,
        unavailable=gaps,
        **values,
    )


def _in_bytes(pages: Answer, page: int | None) -> PoolSize:
    count = numbers.whole(pages.text)
    if pages.problem or count is None:
        return pages.problem
    return numbers.fits(count * page) if page else NO_PAGE_SIZE


def _ratio(stored: PoolSize, pool: PoolSize) -> float | Unavailable | None:
    if isinstance(stored, int) and isinstance(pool, int):
        return stored / pool if pool else None
    return next((size for size in (pool, stored) if isinstance(size, Unavailable)), None)


FACT = Fact(
    reading=ZswapReading,
    parse=parse,
    asks=(
        *(Read(path, lines=1) for path in (ENABLED, PERCENT, COMPRESSOR, POOL, STORED)),
        Read(MEMINFO, each=True),
    ),
    needs=("host",),
    meaning="the compressed cache in front of swap",
)
