from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts import buddy, host, memory
from memrunbook.linux.fragmentation import fragmentation_index, unusable_index

LAB = [39640, 21, 9, 8, 4, 4, 4, 3, 0, 0, 0]
COMPACTED = [14975, 9, 7, 9, 6, 4, 5, 3, 2, 1, 23]
BLOCKS = st.lists(st.integers(0, 1 << 30), min_size=1, max_size=14)


def test_the_indices_are_those_that_the_kernel_printed() -> None:
    """/sys/kernel/debug/extfrag of a guest before and after one write to compact_memory."""
    assert unusable_index(LAB, 6) == pytest.approx(0.984, abs=1e-3)
    assert unusable_index(LAB, 9) == pytest.approx(1.0, abs=1e-3)
    assert fragmentation_index(LAB, 9) == pytest.approx(0.998, abs=1e-3)
    assert unusable_index(COMPACTED, 9) == pytest.approx(0.407, abs=1e-3)
    assert fragmentation_index(COMPACTED, 9) == -1.0


@given(BLOCKS)
def test_larger_requests_find_less(blocks: list[int]) -> None:
    indices = [unusable_index(blocks, order) for order in range(len(blocks))]
    assert indices == sorted(indices)
    assert all(0.0 <= index <= 1.0 for index in indices)


@given(BLOCKS)
def test_the_fragmentation_index_is_minus_one_just_where_a_block_fits(blocks: list[int]) -> None:
    for order in range(len(blocks)):
        index = fragmentation_index(blocks, order)
        assert (index == -1.0) == any(blocks[order:])
        assert index <= 1.0


def test_an_empty_zone_fails_for_lack_of_memory() -> None:
    assert unusable_index([0, 0], 1) == 1.0
    assert fragmentation_index([0, 0], 1) == 0.0


GIB = 1 << 30


def needed(ram: int) -> dict[str, Reading | Unavailable]:
    info = Answer(f"MemTotal: {ram >> 10} kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n")
    return {
        "host": host.HostReading(uptime_seconds=1.0, page_size_bytes=4096),
        "memory": memory.parse((Sample(0, 0, {memory.MEMINFO: info}),), {}),
    }


def main_zones(ram: int, *zones: tuple[int, str, int]) -> list[tuple[int, str]]:
    """Which of these zones are main ones; each is a node, a name and what it manages in GiB, with 1 GiB free."""
    needs = needed(ram)
    free = "".join(f"Node {node}, zone {name} {1 << 18}\n" for node, name, _ in zones)
    marks = "".join(f"Node {n}, zone {name}\n  high 1\n  managed {size << 18}\n" for n, name, size in zones)
    answers = {buddy.BUDDYINFO: Answer(free), buddy.ZONEINFO: Answer(marks)}
    reading = buddy.parse((Sample(0, 0, answers),), needs)
    assert not isinstance(reading, Unavailable)
    return [(zone.node, zone.name) for zone in reading.zones if zone.main]


def test_a_zone_counts_that_holds_a_twentieth_of_ram_or_with_many_nodes_of_its_node() -> None:
    two = [(0, "DMA32", 3), (0, "Normal", 61), (1, "Normal", 64)]
    assert main_zones(128 * GIB, *two) == [(0, "Normal"), (1, "Normal")]
    many = [(0, "DMA32", 1), *((node, "Normal", 32) for node in range(32))]
    assert main_zones(1025 * GIB, *many) == [(node, "Normal") for node in range(32)]


@pytest.mark.parametrize("columns", ["9" * 5000, "9" * 19, "1 " * 33, "1 x", "", "-1"])
def test_a_zone_that_cannot_be_is_left_out(columns: str) -> None:
    needs = {"host": host.HostReading(uptime_seconds=1.0, page_size_bytes=65536)}
    text = f"Node 0, zone   Normal {columns}\nNode 1, zone   Normal 1 1 \n"
    reading = buddy.parse((Sample(0, 0, {buddy.BUDDYINFO: Answer(text)}),), needs)
    assert not isinstance(reading, Unavailable)
    assert [zone.node for zone in reading.zones] == [1]


def test_without_the_size_of_its_node_a_zone_with_little_free_is_no_main_one() -> None:
    answers = {buddy.BUDDYINFO: Answer("Node 0, zone Normal 9 1\n")}
    reading = buddy.parse((Sample(0, 0, answers),), needed(4 * GIB))
    assert not isinstance(reading, Unavailable)
    assert [zone.main for zone in reading.zones] == [False]
