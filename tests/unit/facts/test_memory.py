from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts import memory
from memrunbook.facts.memory import MemoryReading

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
