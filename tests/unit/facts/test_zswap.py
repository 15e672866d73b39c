from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.facts.host import HostReading
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE
from memrunbook.facts.zswap import COMPRESSOR, ENABLED, PERCENT, POOL, STORED, ZswapReading, parse

SETTINGS = {ENABLED: Answer("Y\n"), PERCENT: Answer("20\n"), COMPRESSOR: Answer("zstd\n")}
ROOT = {POOL: Answer("4096\n"), STORED: Answer("3\n")}


def read(answers: dict[str, Answer], page: int | None = 4096) -> ZswapReading:
    host = HostReading(uptime_seconds=1.0, page_size_bytes=page)
    reading = parse((Sample(1.0, 1.0, answers),), {"host": host})
    assert isinstance(reading, ZswapReading)
    return reading


def test_the_kernels_own_totals_come_first() -> None:
    found = read({**SETTINGS, **ROOT, MEMINFO: Answer("Zswap:  2 kB\nZswapped:  6 kB\n")})
    assert found == ZswapReading(
        enabled=True, max_pool_percent=20.0, compressor="zstd", pool_bytes=2048, stored_bytes=6144, ratio=3.0
    )


def test_older_kernels_tell_root() -> None:
    found = read({**SETTINGS, **ROOT})
    assert (found.pool_bytes, found.stored_bytes, found.ratio) == (4096, 12288, 3.0)
    assert read({**SETTINGS, **ROOT}, page=None).unavailable == {"stored_bytes": NO_PAGE_SIZE, "ratio": NO_PAGE_SIZE}
    assert read({**SETTINGS, **ROOT, STORED: Answer("?")}).ratio is None


def test_older_kernels_do_not_tell_others() -> None:
    denied = Unavailable("denied", "permission denied")
    found = read({**SETTINGS, POOL: Answer(problem=denied), STORED: Answer(problem=denied)})
    assert (found.pool_bytes, found.stored_bytes, found.ratio) == (None, None, None)
    assert found.unavailable == {"pool_bytes": denied, "ratio": denied, "stored_bytes": denied}


def test_an_empty_one_has_no_ratio() -> None:
    found = read({ENABLED: Answer("N\n"), MEMINFO: Answer("Zswap:  0 kB\nZswapped:  0 kB\n")})
    assert (found.enabled, found.pool_bytes, found.stored_bytes, found.ratio) == (False, 0, 0, None)
    assert (found.max_pool_percent, found.compressor) == (None, None)


@pytest.mark.parametrize("text", ["", "y\n", "1\n"])
def test_neither_yes_nor_no_is_no_reading(text: str) -> None:
    found = parse((Sample(1.0, 1.0, {ENABLED: Answer(text)}),), {})
    assert isinstance(found, Unavailable)
    assert found.reason == "failed"


def test_a_kernel_without_it_is_absent() -> None:
    absent = Unavailable("absent", "no such file")
    assert parse((Sample(1.0, 1.0, {ENABLED: Answer(problem=absent)}),), {}) == absent
