from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts import memory
from memrunbook.facts.host import HostReading
from memrunbook.facts.memory import MemoryReading
from memrunbook.facts.shared.whereabouts import VMSTAT
from memrunbook.facts.zswap import ZswapReading

SIZES = st.integers(0, 1 << 40)
KEYS = [
    "MemFree",
    "MemAvailable",
    "Buffers",
    "Cached",
    "Shmem",
    "Dirty",
    "SReclaimable",
    "Active(file)",
    "AnonPages",
    "Slab",
]


def read(info: dict[str, int], **others: str) -> Reading | Unavailable:
    texts = {memory.MEMINFO: "".join(f"{key}: {value} kB\n" for key, value in info.items()), **others}
    return memory.parse((Sample(0, 0, {key: Answer(text) for key, text in texts.items()}),), {})


@given(st.integers(1, 1 << 40), st.dictionaries(st.sampled_from(KEYS), SIZES))
def test_available_used_and_droppable_stay_within_ram(total: int, info: dict[str, int]) -> None:
    reading = read({"MemTotal": total, "MemFree": 0, **info})
    assert isinstance(reading, MemoryReading)
    for value in (reading.available_bytes, reading.used_bytes, reading.droppable_bytes, reading.unaccounted_bytes):
        assert 0 <= value <= reading.total_bytes
    assert reading.available_bytes + reading.used_bytes == reading.total_bytes
    assert 0.0 <= reading.available_percent <= 100.0


def test_an_arc_at_its_minimum_changes_nothing() -> None:
    arc = "size 4 100\nc_min 4 200\n"
    reading = read({"MemTotal": 1000, "MemFree": 10, "MemAvailable": 500}, **{memory.ARCSTATS: arc})
    assert isinstance(reading, MemoryReading)
    assert reading.arc_reclaimable_bytes == 0
    assert reading.available_bytes == 500 * 1024
    assert not reading.available_estimated


def test_half_an_arcstats_is_none() -> None:
    reading = read({"MemTotal": 1000, "MemFree": 10}, **{memory.ARCSTATS: "size 4 100\n"})
    assert isinstance(reading, MemoryReading)
    assert reading.arc_reclaimable_bytes is None


def test_tmpfs_is_cached_but_cannot_be_dropped() -> None:
    reading = read({"MemTotal": 1000, "MemFree": 10, "Cached": 300, "Shmem": 300})
    assert isinstance(reading, MemoryReading)
    assert reading.droppable_bytes == 0


def test_the_size_of_ram_is_there_for_other_facts() -> None:
    reading = read({"MemTotal": 1000, "MemFree": 10})
    assert memory.total_bytes({"memory": reading}) == 1000 * 1024
    assert memory.total_bytes({"memory": Unavailable("failed", "no")}) is None


HOST = HostReading(uptime_seconds=1.0, page_size_bytes=4096)


def ballooned(vmstat: str, info: dict[str, int], host: HostReading = HOST) -> MemoryReading:
    texts = {memory.MEMINFO: "".join(f"{key}: {value} kB\n" for key, value in info.items()), VMSTAT: vmstat}
    answers = {key: Answer(text) for key, text in texts.items()}
    reading = memory.parse((Sample(0, 0, answers),), {"host": host})
    assert isinstance(reading, MemoryReading)
    return reading


LOWERED = {"MemTotal": 200_000, "MemFree": 20_000, "AnonPages": 170_000}
KEPT = {"MemTotal": 500_000, "MemFree": 20_000, "AnonPages": 170_000}


@pytest.mark.parametrize(
    ("vmstat", "info", "balloon", "percent"),
    [
        ("balloon_inflate 80000\nballoon_deflate 5000\n", LOWERED, 300_000, 62.0),
        ("nr_balloon_pages 75000\nballoon_inflate 9\nballoon_deflate 9\n", LOWERED, 300_000, 62.0),
        ("balloon_inflate 75000\nballoon_deflate 0\n", KEPT, 300_000, 62.0),
        ("", {**KEPT, "Balloon": 300_000}, 300_000, 62.0),
        ("", KEPT, None, 62.0),
        ("balloon_inflate 5\nballoon_deflate 9\n", LOWERED, 0, 5.0),
        ("balloon_inflate 80000\n", LOWERED, 320_000, 100 * 330 / 520),
    ],
)
def test_what_a_balloon_took_counts_whether_it_lowers_the_total_or_not(
    vmstat: str, info: dict[str, int], balloon: int | None, percent: float
) -> None:
    found = ballooned(vmstat, info)
    assert found.balloon_bytes == (None if balloon is None else balloon * 1024)
    assert found.foreign_percent == pytest.approx(percent)


def test_a_balloon_in_pages_of_unknown_size_is_unknown() -> None:
    host = HostReading(uptime_seconds=1.0)
    assert ballooned("nr_balloon_pages 75000\n", LOWERED, host).balloon_bytes is None


def test_the_pool_of_zswap_is_a_place_on_kernels_that_do_not_count_it() -> None:
    texts = {memory.MEMINFO: Answer("MemTotal: 1000 kB\nMemFree: 10 kB\n")}
    zswap = ZswapReading(enabled=True, pool_bytes=300 * 1024)
    reading = memory.parse((Sample(0, 0, texts),), {"zswap": zswap})
    assert isinstance(reading, MemoryReading)
    assert next((one.name, one.bytes) for one in reading.places or []) == ("zswap", 300 * 1024)


@pytest.mark.parametrize(
    ("info", "mapped"),
    [
        ({"Cached": 72, "Shmem": 67, "Mapped": 66}, 61),
        ({"Cached": 72, "Shmem": 40, "Mapped": 30}, 0),
        ({"Cached": 40, "Shmem": 40, "Mapped": 90}, 40),
        ({"Cached": 10, "Shmem": 40, "Mapped": 9}, 9),
        ({"Cached": 10, "Shmem": 40}, None),
    ],
)
def test_more_is_mapped_than_files_have(info: dict[str, int], mapped: int | None) -> None:
    reading = read({"MemTotal": 1000, "MemFree": 10, **info})
    assert isinstance(reading, MemoryReading)
    assert reading.shared_mapped_bytes == (None if mapped is None else mapped * 1024)


def test_growth_of_processes_is_in_memory_and_in_swap() -> None:
    def at(time: float, **info: int) -> Sample:
        text = "".join(f"{key}: {value} kB\n" for key, value in {"MemTotal": 480_000, "MemFree": 9, **info}.items())
        return Sample(time, time, {memory.MEMINFO: Answer(text)})

    swapping = [at(5.0 * n, AnonPages=200_000, Shmem=0, SwapTotal=90_000, SwapFree=80_000 - 9000 * n) for n in range(3)]
    reading = memory.parse(tuple(swapping), {})
    assert isinstance(reading, MemoryReading)
    assert (reading.growing, reading.growth_bytes_per_second) == (True, 9000 * 1024 // 5)
    assert (reading.samples, reading.watched_seconds) == (3, 10.0)
    old = memory.parse((at(0.0), at(5.0)), {})
    assert isinstance(old, MemoryReading)
    assert (old.growing, old.growth_bytes_per_second) == (False, None)
