from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable, Whole
from memrunbook.facts import slab_growth
from memrunbook.facts.host import HostReading
from memrunbook.facts.slab import SLABINFO, SlabReading
from memrunbook.facts.slab_growth import QUIET, SlabGrowthReading

HOST = HostReading(uptime_seconds=1.0, page_size_bytes=4096)
GROWING = SlabReading(total_bytes=9, growing=True)
CALM = SlabReading(total_bytes=9)
DENIED = Unavailable("denied", "permission denied")


def table(**slabs: int) -> str:
    rows = (f"{name} 10 20 192 21 1 : tunables 0 0 0 : slabdata {count} {count} 0\n" for name, count in slabs.items())
    return "".join(rows)


def compared(
    before: str | Unavailable, after: str | Unavailable, seconds: float = 10.0, **others: Reading
) -> SlabGrowthReading | Unavailable:
    samples = tuple(
        Sample(at, at, {SLABINFO: Answer(text) if isinstance(text, str) else Answer(problem=text)})
        for at, text in ((0.0, before), (seconds, after))
    )
    return slab_growth.parse(samples, {"host": HOST, "slab": GROWING, **others})


def test_the_caches_are_asked_for_again_only_where_the_kernels_memory_grows() -> None:
    assert slab_growth.follow({"slab": GROWING}) == (Whole(SLABINFO),)
    assert slab_growth.follow({"slab": CALM}) == slab_growth.follow({"slab": DENIED}) == slab_growth.follow({}) == ()


def test_the_cache_that_grows_fastest_comes_first() -> None:
    before, after = table(dentry=100, filp=50, gone=9, old=7), table(dentry=200, filp=550, old=7, new=60)
    found = compared(before, after)
    assert isinstance(found, SlabGrowthReading)
    assert [(one.name, one.bytes, one.growth_bytes_per_second) for one in found.caches] == [
        ("filp", 550 * 4096, 50 * 4096),
        ("dentry", 200 * 4096, 10 * 4096),
        ("new", 60 * 4096, 6 * 4096),
    ]


def test_at_most_five_are_named() -> None:
    found = compared("", table(**{f"kmalloc-{n}": 10 + n for n in range(9)}))
    assert isinstance(found, SlabGrowthReading)
    assert [one.name for one in found.caches] == [f"kmalloc-{n}" for n in (8, 7, 6, 5, 4)]


def test_nobody_looks_where_nothing_grows() -> None:
    assert compared(DENIED, DENIED, slab=CALM) == SlabGrowthReading(caches=[], cut={"caches": QUIET})


@pytest.mark.parametrize(
    ("others", "before", "seconds", "reason"),
    [
        ({"slab": Unavailable("absent", "no Slab")}, "", 10.0, "absent"),
        ({}, DENIED, 10.0, "denied"),
        ({"host": HostReading(uptime_seconds=1.0)}, "", 10.0, "failed"),
        ({}, "", 0.0, "failed"),
    ],
)
def test_what_cannot_be_compared_is_unknown(
    others: dict[str, Reading], before: str | Unavailable, seconds: float, reason: str
) -> None:
    found = compared(before, table(dentry=1), seconds, **others)
    assert isinstance(found, Unavailable)
    assert found.reason == reason


def test_without_slab_memory_there_is_nothing_to_say() -> None:
    found = slab_growth.parse((Sample(0.0, 0.0, {}),), {})
    assert isinstance(found, Unavailable)


def test_the_others_grow_no_faster_than_the_fastest_of_them() -> None:
    found = compared("", table(**{f"kmalloc-{n}": 10 + n for n in range(9)}))
    assert isinstance(found, SlabGrowthReading)
    assert found.cut["caches"].why == "4 caches that grow less are not in the list"
    assert found.cut["caches"].below == {"growth_bytes_per_second": int(13 * 4096 / 10) + 1.0}
    few = compared("", table(filp=9))
    assert isinstance(few, SlabGrowthReading)
    assert few.cut == {}
