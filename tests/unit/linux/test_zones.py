"""One request against the zones that it may use: short, fragmented, not short, or unknown."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook.linux.oomlog import memory
from memrunbook.linux.oomlog.event import Failure, LogEvent, Picture
from memrunbook.linux.zones import Beyond, Judgement, PageRequest, PrintedZone, judge, nodes_of, usable_kib

KERNEL, USER, OLD_USER, DMA32 = "0xcc0", "0x100cca", "0x201da", "0xcc4"


def zone(name: str, free: int, high: int = 6000, **fields: Any) -> PrintedZone:
    """A zone whose watermarks stand as 2:2.5:3, as the kernel sets them."""
    return PrintedZone(name=name, free_kib=free, min_kib=high * 2 // 3, low_kib=high * 5 // 6, high_kib=high, **fields)


def last_look(gfp: str | None = USER, **fields: Any) -> PageRequest:
    return PageRequest(gfp=gfp, last_look=True, **fields)


def state(zones: list[PrintedZone], request: PageRequest, page_kib: int = 4) -> tuple[str, str]:
    found = judge(zones, request, page_kib)
    return found.state, found.zone


FULL_1GIB = [
    zone("DMA", 4036, 88, size_kib=15356, reserve=(0, 994, 994, 994)),
    zone("DMA32", 5832, size_kib=1018080, reserve=(0, 0, 0, 0)),
]
LOW_MEMORY_FULL = [
    zone("DMA", 3500, 96, size_kib=15852, reserve=(0, 865, 3523, 3523)),
    zone("Normal", 5200, size_kib=885944, reserve=(0, 0, 21270, 21270)),
    zone("HighMem", 1500000, size_kib=2722564, reserve=(0, 0, 0, 0)),
]
CMA = [zone("DMA32", 613120, 137280, size_kib=1996672, cma_kib=523776, reserve=(0, 0, 0))]
MOVABLE = [
    zone("Normal", 12652, 23840, size_kib=4750196, reserve=(0, 15360, 15360)),
    zone("Movable", 1351196, 6472, size_kib=1966080, reserve=(0, 0, 0)),
]
TWO_NODES = [
    zone("Normal", 30000, 60000, node=0, size_kib=8 << 20),
    zone("Normal", 6 << 20, 60000, node=1, size_kib=8 << 20),
]


@pytest.mark.parametrize(
    ("zones", "request_", "said"),
    [
        (FULL_1GIB, last_look("0xd0", order=1), ("short", "Node 0 DMA32")),
        (FULL_1GIB, last_look(OLD_USER), ("short", "Node 0 DMA32")),
        (LOW_MEMORY_FULL, last_look("0xd0"), ("short", "Node 0 Normal")),
        (LOW_MEMORY_FULL, last_look(OLD_USER), ("not-short", "Node 0 HighMem")),
        (LOW_MEMORY_FULL, last_look("0xd2"), ("not-short", "Node 0 HighMem")),
        (CMA, last_look(USER), ("short", "Node 0 DMA32")),
        (CMA, PageRequest(gfp=KERNEL), ("short", "Node 0 DMA32")),
        (CMA, PageRequest(gfp=USER), ("not-short", "Node 0 DMA32")),
        (CMA, PageRequest(gfp="0xcc0", flags="GFP_USER|__GFP_MOVABLE"), ("not-short", "Node 0 DMA32")),
        (MOVABLE, last_look(KERNEL, order=1), ("short", "Node 0 Normal")),
        (MOVABLE, last_look(USER), ("not-short", "Node 0 Movable")),
        (MOVABLE, last_look(None), ("not-short", "Node 0 Movable")),
        (TWO_NODES, last_look(), ("not-short", "Node 1 Normal")),
        (TWO_NODES, last_look(nodemask="0"), ("short", "Node 0 Normal")),
        (TWO_NODES, last_look(mems_allowed="0"), ("short", "Node 0 Normal")),
        (TWO_NODES, last_look(mems_allowed="0-1", nodemask="(null)"), ("not-short", "Node 1 Normal")),
        (TWO_NODES, last_look(nodemask="1", mems_allowed="0"), ("unknown", "")),
        (TWO_NODES, last_look(nodemask="2-3"), ("unknown", "")),
        (TWO_NODES, PageRequest(gfp="0xa20", flags="GFP_ATOMIC", mems_allowed="0"), ("not-short", "Node 0 Normal")),
        ([zone("Normal", 5999)], last_look(), ("short", "Node 0 Normal")),
        ([zone("Normal", 6001)], last_look(), ("not-short", "Node 0 Normal")),
        ([zone("Normal", 5200)], PageRequest(gfp=KERNEL), ("not-short", "Node 0 Normal")),
        ([zone("Normal", 4900)], PageRequest(gfp=KERNEL), ("short", "Node 0 Normal")),
        ([zone("Normal", 1600)], PageRequest(gfp="0x20"), ("not-short", "Node 0 Normal")),
        ([zone("Normal", 1400)], PageRequest(gfp="0x20"), ("short", "Node 0 Normal")),
        ([zone("Normal", 900000), zone("DMA32", 50, 100)], last_look(DMA32), ("short", "Node 0 DMA32")),
        ([zone("Normal", 900000), zone("DMA", 50, 100)], last_look("0x1"), ("short", "Node 0 DMA")),
        ([zone("Device", 900000), zone("Weird", 900000)], last_look(), ("unknown", "")),
        ([], last_look(), ("unknown", "")),
    ],
)  # fmt: skip
def test_which_zone_was_short(zones: list[PrintedZone], request_: PageRequest, said: tuple[str, str]) -> None:
    assert state(zones, request_) == said


@pytest.mark.parametrize(
    ("blocks", "types", "order", "said"),
    [
        ((5000, 0, 0, 0), (), 2, "fragmented"),
        ((0, 0, 0, 700), (), 2, "not-short"),
        ((0, 0, 0, 700), ("", "", "", "C"), 2, "fragmented"),
        ((0, 0, 0, 700), ("", "", "", "H"), 2, "fragmented"),
        ((0, 0, 0, 700), ("", "", "", "UM"), 2, "not-short"),
        ((10419, 51, 8, 0, 1), (), 2, "fragmented"),
        ((), (), 2, "fragmented"),
    ],
)
def test_fragmented_is_free_without_a_block_of_that_size(
    blocks: tuple[int, ...], types: tuple[str, ...], order: int, said: str
) -> None:
    """Before 4.4 a part of the watermark had to be in blocks of that size: a few of them are as good as none."""
    found = judge([zone("Normal", 20000, blocks=blocks, types=types)], last_look("0xd0", order=order), 4)
    assert found.state == said


def test_a_request_that_cannot_wait_may_take_what_is_kept_for_such() -> None:
    kept = zone("Normal", 9000, blocks=(0, 0, 600), types=("", "", "H"), highatomic_kib=8000)
    assert judge([kept], PageRequest(gfp="0x20", order=2), 4).state == "not-short"
    assert judge([kept], PageRequest(gfp=KERNEL, order=2), 4).state == "short"
    assert usable_kib(kept, PageRequest(gfp=KERNEL)) == 1000


def test_free_blocks_alone_tell_shortage_from_fragmentation() -> None:
    def alone(blocks: tuple[int, ...], order: int) -> Judgement:
        return judge([PrintedZone(name="DMA32", free_kib=100, blocks=blocks)], PageRequest(gfp=KERNEL, order=order), 4)

    assert (alone((13633, 8035, 890, 10), 4).state, alone((13633, 8035, 890, 10), 4).index) == ("fragmented", 0.908)
    assert alone((1, 0, 0), 2).state == "short"
    assert alone((0, 0, 0, 1), 2).state == "unknown"
    assert alone((5,), 0).state == "unknown"


def test_pages_of_64_kib_are_counted_in_that_size() -> None:
    zones = [zone("DMA", 58000, 1000, reserve=(0, 900, 900), size_kib=100000), zone("Normal", 100, size_kib=200000)]
    assert state(zones, last_look(KERNEL), 64) == ("short", "Node 0 Normal")
    assert state(zones, last_look(KERNEL), 4) == ("not-short", "Node 0 DMA")


def test_the_few_mib_of_dma_do_not_speak_for_a_host() -> None:
    zones = [zone("DMA", 15000, 100, size_kib=15360), zone("Normal", 1000, size_kib=8 << 20)]
    assert state(zones, last_look(KERNEL)) == ("short", "Node 0 Normal")


@pytest.mark.parametrize(
    ("reserve", "others", "gfp", "pages"),
    [
        ((0, 994, 994, 994), ["DMA32"], KERNEL, 994),  # x86-64 without Device
        ((0, 1611, 128577, 128577, 128577), ["DMA32", "Normal"], KERNEL, 128577),  # x86-64
        ((0, 1611, 128577, 128577, 128577), ["DMA32", "Normal"], DMA32, 1611),
        ((0, 757, 2934, 757), ["Normal", "HighMem"], "0xd0", 757),  # i386
        ((0, 757, 2934, 2934), ["Normal", "HighMem"], OLD_USER, 2934),
        ((0, 500), ["Normal"], KERNEL, 500),
        ((0, 1, 2, 3, 4, 5, 6), ["Normal"], KERNEL, 6),  # more than are known: the most that it may keep
    ],
)
def test_what_a_zone_keeps_from_requests_that_may_go_higher(
    reserve: tuple[int, ...], others: list[str], gfp: str, pages: int
) -> None:
    zones = [zone("DMA", 40, 0, reserve=reserve, size_kib=1000), *(zone(name, 0, size_kib=1) for name in others)]
    assert judge(zones, last_look(gfp), 4).needed_kib == pages * 4


def test_memory_out_of_reach_is_named() -> None:
    assert judge(MOVABLE, last_look(KERNEL), 4).beyond == (
        Beyond(1351196, "in Movable, which this request may not use"),
    )
    assert judge(MOVABLE, last_look(KERNEL), 4).low_memory
    assert judge(CMA, PageRequest(gfp=KERNEL), 64).beyond == (
        Beyond(523776, "of it in CMA, which is kept for devices and movable pages"),
    )
    assert not judge(CMA, last_look(USER), 64).low_memory
    assert judge(TWO_NODES, last_look(nodemask="0"), 4).beyond == (
        Beyond(6 << 20, "on other nodes, which this request may not use"),
    )
    assert judge(TWO_NODES, last_look(), 4).beyond == ()


@pytest.mark.parametrize(
    ("text", "nodes"),
    [("0-1,3", {0, 1, 3}), ("(null)", None), (None, None), ("", None), ("x", None), ("1-y", {1}), ("2", {2})],
)
def test_nodes_as_the_kernel_prints_them(text: str | None, nodes: set[int] | None) -> None:
    assert nodes_of(text) == nodes


def test_nodes_that_no_host_has_are_bounded() -> None:
    assert len(nodes_of("0-999999999999999999") or ()) == 1025


@pytest.mark.parametrize(
    ("request_", "highest", "atomic"),
    [
        (PageRequest(gfp="0x0"), "Normal", False),
        (PageRequest(gfp="0x20"), "Normal", True),
        (PageRequest(gfp="0x8020"), "Normal", True),
        (PageRequest(gfp="0x2000d0"), "Normal", False),
        (PageRequest(gfp="0xa20", flags="GFP_ATOMIC|__GFP_ZERO"), "Normal", True),
        (PageRequest(gfp="0xcc0", flags="GFP_KERNEL"), "Normal", False),
        (PageRequest(gfp="0x140dca", flags="GFP_HIGHUSER_MOVABLE|__GFP_COMP"), "Movable", False),
        (PageRequest(gfp="0x280d2"), "HighMem", False),
        (PageRequest(gfp="0xcc5"), "DMA", False),
        (PageRequest(gfp="0xcc8"), "Normal", False),
    ],
)
def test_what_a_mask_says(request_: PageRequest, highest: str, *, atomic: bool) -> None:
    assert (request_.highest, request_.atomic) == (highest, atomic)


ZONE = "Node 0 Normal free:900kB boost:2kB min:60kB low:80kB high:100kB reserved_highatomic:64KB managed:5000kB"


def test_the_lines_of_a_report_become_zones() -> None:
    seen = Picture()
    assert memory.zone(seen, f"{ZONE} present:6000kB kernel_stack:12kB free_cma:40kB")
    assert memory.reserve(seen, "lowmem_reserve[]: 0 11 22")
    assert memory.blocks(seen, "Node 0 Normal: 3*4kB (UM) 2*8kB (C) 0*16kB = 28kB")
    (found,) = memory.zones(seen)
    assert found == PrintedZone(
        name="Normal", free_kib=900, min_kib=60, low_kib=80, high_kib=100, size_kib=5000, cma_kib=40, highatomic_kib=64,
        reserve=(0, 11, 22), blocks=(3, 2, 0), types=("UM", "C", ""),
    )  # fmt: skip
    assert (seen.stack_kib, seen.free_kib, seen.nodes, found.label) == (12, 900, {0}, "Node 0 Normal")


@pytest.mark.parametrize(
    ("line", "zone_"),
    [
        ("DMA free:10kB min:4kB low:5kB high:6kB present:15kB", PrintedZone(
            name="DMA", free_kib=10, min_kib=4, low_kib=5, high_kib=6, size_kib=15)),
        ("Node 3 DMA32 free:10kB min:4kB low:5kB", PrintedZone(
            name="DMA32", node=3, free_kib=10, min_kib=4, low_kib=5, high_kib=6)),
        ("HighMem free:10kB min:4kB ", PrintedZone(name="HighMem", free_kib=10, min_kib=4, low_kib=5, high_kib=6)),
        ("Node 1 Movable free:9kB boost:0kB min:1kB low:2kB high:3kB reserved_highatomic:8KB free_highatomic:4KB",
         PrintedZone(name="Movable", node=1, free_kib=9, min_kib=1, low_kib=2, high_kib=3, highatomic_kib=4)),
    ],
)  # fmt: skip
def test_zones_of_old_and_cut_reports(line: str, zone_: PrintedZone) -> None:
    seen = Picture()
    assert memory.zone(seen, line)
    assert memory.zones(seen) == [zone_]


def test_a_report_of_free_blocks_alone() -> None:
    seen = Picture()
    assert memory.blocks(seen, "Node 2 DMA32: 3*64kB (UM) 1*128kB (M) = 320kB")
    assert memory.blocks(seen, "Normal: 0*64kB 0*128kB = 0kB")
    (found,) = memory.zones(seen)
    assert (found.node, found.name, found.free_kib, found.blocks) == (2, "DMA32", 320, (3, 1))


def test_a_reserve_without_its_zone_is_none() -> None:
    seen = Picture()
    assert memory.reserve(seen, "lowmem_reserve[]: 0 1")
    assert not memory.reserve(seen, "lowmem_reserve[]: none")
    assert memory.zones(seen) == []


def test_the_request_of_an_event_and_of_a_failure() -> None:
    assert Failure(None, "a", 2, "0x20").request == PageRequest(gfp="0x20", order=2)
    assert LogEvent().zones == []
