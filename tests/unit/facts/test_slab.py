from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.fact import Answer, Cut, Reading, Sample, Unavailable
from memrunbook.facts import slab
from memrunbook.facts.host import HostReading
from memrunbook.facts.memory import MEMINFO


def test_the_newest_sample_counts_and_ram_is_the_measure() -> None:
    texts = [
        "MemTotal: 100 kB\nSlab: 5 kB\n",
        "MemTotal: 200 kB\nSlab: 60 kB\nSReclaimable: 50 kB\nSUnreclaim: 10 kB\n",
    ]
    reading = slab.parse(tuple(Sample(at, at, {MEMINFO: Answer(text)}) for at, text in enumerate(texts)), {})
    assert isinstance(reading, slab.SlabReading)
    assert reading.total_bytes == 60 * 1024
    assert reading.reclaimable_percent == 25.0
    assert reading.unreclaimable_percent == 5.0


@pytest.mark.parametrize(
    ("name", "reclaimable"),
    [
        ("dentry", True),
        ("xfs_inode", True),
        ("kmalloc-rcl-128", True),
        ("lsm_inode_cache", False),
        ("kmalloc-128", False),
        ("dma-kmalloc-8k", False),
        ("maple_node", None),
    ],
)
def test_what_is_given_back_is_known_by_its_name(name: str, *, reclaimable: bool | None) -> None:
    row = f"{name}  10 20 192 21 1 : tunables 0 0 0 : slabdata 1 2 0\n"
    answers = {MEMINFO: Answer("MemTotal: 9 kB\nSlab: 5 kB\nSReclaimable: 4 kB\n"), slab.SLABINFO: Answer(row)}
    host = HostReading(uptime_seconds=1.0, page_size_bytes=4096)
    reading = slab.parse((Sample(0, 0, answers),), {"host": host})
    assert isinstance(reading, slab.SlabReading)
    assert reading.caches == [slab.SlabCache(name, 8192, 10, 20, 192, 50.0, reclaimable)]
    assert reading.dentry_inode_bytes == (8192 if reclaimable else 0)


@given(
    st.lists(
        st.sampled_from([*"a#: \u00a0", "dentry", "1", "007", "9" * 18, "9" * 19, "tunables", "slabdata"]),
        max_size=20,
    ),
    st.integers(0, 20),
)
def test_a_row_as_usual_is_read_like_any_other(words: list[str], place: int) -> None:
    usual = ["dentry", "10", "20", "192", "21", "1", ":", "tunables", "0", "0", "0", ":", "slabdata", "1", "2", "0"]
    row = " ".join([*usual[:place], *words, *usual[place + len(words) :]])
    assert slab.sizes(row, 4096) == slab.sizes(row.replace(" ", " \t"), 4096)


def test_numbers_that_no_kernel_means_are_no_cache() -> None:
    row = f"dentry {'9' * 19} 20 192 21 1 : tunables 0 0 0 : slabdata 1 2 0\n"
    answers = {MEMINFO: Answer("Slab: 5 kB\n"), slab.SLABINFO: Answer(row), slab.DENTRY_STATE: Answer("1 2\n")}
    reading = slab.parse((Sample(0, 0, answers),), {})
    assert isinstance(reading, slab.SlabReading)
    assert reading.unavailable["caches"].why == "/proc/slabinfo holds no cache"
    assert reading.unavailable["dentries"].reason == "failed"


@pytest.mark.parametrize(
    ("sizes", "growing"),
    [
        ((100, 130, 160), True),
        ((100, 100, 160), False),
        ((160, 130, 100), False),
        ((100, 101, 102), False),
        ((100, 130), True),
        ((100,), False),
    ],
)
def test_steady_growth_of_what_is_not_given_back_is_seen(sizes: tuple[int, ...], *, growing: bool) -> None:
    texts = [f"MemTotal: 8000000 kB\nSlab: 900000 kB\nSUnreclaim: {size * 1024} kB\n" for size in sizes]
    samples = tuple(Sample(at * 5.0, at * 5.0, {MEMINFO: Answer(text)}) for at, text in enumerate(texts))
    reading = slab.parse(samples, {})
    assert isinstance(reading, slab.SlabReading)
    assert reading.growing is growing
    assert (reading.growth_bytes_per_second is None) is (len(sizes) == 1)


def test_one_percent_of_a_small_host_in_a_minute_is_growth_too() -> None:
    texts = [f"MemTotal: 480000 kB\nSlab: 90000 kB\nSUnreclaim: {size} kB\n" for size in (80_000, 82_000, 84_000)]
    samples = tuple(Sample(at * 5.0, at * 5.0, {MEMINFO: Answer(text)}) for at, text in enumerate(texts))
    reading = slab.parse(samples, {})
    assert isinstance(reading, slab.SlabReading)
    assert reading.growing
    assert reading.growth_bytes_per_second == 409_600


def test_the_smaller_caches_hold_no_more_than_the_largest_of_them() -> None:
    rows = [f"c{number}  10 20 192 21 1 : tunables 0 0 0 : slabdata 1 {number} 0\n" for number in range(1, 14)]
    host = HostReading(uptime_seconds=1.0, page_size_bytes=4096)

    def read(count: int, readings: dict[str, Reading | Unavailable]) -> dict[str, Cut]:
        answers = {MEMINFO: Answer("MemTotal: 9 kB\nSlab: 5 kB\n"), slab.SLABINFO: Answer("".join(rows[:count]))}
        reading = slab.parse((Sample(0, 0, answers),), readings)
        assert isinstance(reading, slab.SlabReading)
        return reading.cut

    assert read(13, {"host": host}) == {
        "caches": Cut("3 smaller caches are not in the list, of 12.0 KiB at most", {"bytes": 3 * 4096 + 1.0})
    }
    assert (read(10, {"host": host}), read(13, {})) == ({}, {})
