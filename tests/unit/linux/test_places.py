from __future__ import annotations

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from memrunbook.core.units import GIB, MIB
from memrunbook.linux.places import (
    BALLOON,
    BUFFERS,
    FREE,
    KERNEL,
    UNCOUNTED,
    Elsewhere,
    Place,
    charged_beside,
    given,
    places,
    shown,
    size_of,
)

NOWHERE = Elsewhere()
HOST = {"MemTotal": 64 * GIB, "MemFree": 4 * GIB, "AnonPages": 20 * GIB, "Cached": 30 * GIB, "Shmem": 2 * GIB,
        "Slab": 4 * GIB, "PageTables": GIB, "KernelStack": 64 * MIB, "Percpu": 64 * MIB,
        "VmallocUsed": 192 * MIB}  # fmt: skip
NAMES = [*HOST, "Buffers", "SwapCached", "SecPageTables", "Hugetlb", "Zswap"]


def sizes(info: dict[str, int], elsewhere: Elsewhere = NOWHERE) -> dict[str, int]:
    return {one.name: one.bytes for one in places(info, elsewhere)}


def line(info: dict[str, int], elsewhere: Elsewhere = NOWHERE) -> list[str]:
    return [name for name, _, _ in shown(places(info, elsewhere))]


def test_all_of_the_memory_is_somewhere() -> None:
    found = sizes(HOST)
    assert sum(found.values()) == HOST["MemTotal"]
    assert found["page cache"] == 28 * GIB, "shared memory is counted in Cached too"
    assert found["vmalloc"] == 128 * MIB, "the stacks of threads are pages of vmalloc"
    assert found[UNCOUNTED] == 64 * GIB - (4 + 20 + 30 + 4 + 1) * GIB - 256 * MIB


@for_any(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1 << 45)), st.integers(1, 1 << 45))
def test_no_place_is_negative_and_what_is_left_is_never_more_than_there_is(info: dict[str, int], total: int) -> None:
    found = places({**info, "MemTotal": total}, NOWHERE)
    assert all(one.bytes > 0 for one in found)
    assert size_of(found, UNCOUNTED) <= total


@pytest.mark.parametrize(
    ("more", "elsewhere", "place", "size"),
    [
        ({"Hugetlb": 8 * GIB}, NOWHERE, "huge pages", 8 * GIB),
        ({"HugePages_Total": 1024, "Hugepagesize": 2 * MIB}, NOWHERE, "huge pages", 2 * GIB),
        ({"HugePages_Total": 0, "Hugepagesize": 2 * MIB}, Elsewhere(huge=4 * GIB), "huge pages", 4 * GIB),
        ({}, Elsewhere(arc=3 * GIB), "ZFS cache", 3 * GIB),
        ({}, Elsewhere(zram=2 * GIB), "zram", 2 * GIB),
        ({"Zswap": GIB}, Elsewhere(zswap=5), "zswap", GIB),
        ({}, Elsewhere(zswap=GIB), "zswap", GIB),
        ({"SecPageTables": GIB}, NOWHERE, "page tables", 2 * GIB),
        ({}, Elsewhere(balloon=3 * GIB), "balloon", 3 * GIB),
    ],
)
def test_each_kernel_and_driver_has_its_place(
    more: dict[str, int], elsewhere: Elsewhere, place: str, size: int
) -> None:
    assert sizes({**HOST, **more}, elsewhere)[place] == size


@pytest.mark.parametrize(
    ("left", "balloon", "uncounted"),
    [(5 * GIB, 4 * GIB, GIB), (4 * GIB, 4 * GIB, 0), (GIB, 30 * GIB, GIB), (30 * GIB, 30 * GIB + MIB, 0)],
)
def test_a_balloon_is_what_no_counter_has_or_stands_beside(left: int, balloon: int, uncounted: int) -> None:
    info = {"MemTotal": 64 * GIB, "MemFree": 64 * GIB - left}
    found = places(info, Elsewhere(balloon=balloon))
    assert (size_of(found, BALLOON), size_of(found, UNCOUNTED)) == (balloon, uncounted)
    assert given(found) == pytest.approx(64 * GIB + (balloon if left < balloon // 2 else 0), rel=1e-3)


def test_what_matters_is_shown_in_the_order_of_the_question() -> None:
    assert line(HOST) == ["anonymous", "page cache", "shared memory", KERNEL, UNCOUNTED]
    assert line({"MemTotal": 64 * GIB, "MemFree": 64 * GIB - MIB, "Slab": MIB}) == []


def test_the_kernel_is_told_by_its_largest_parts() -> None:
    (kernel,) = [row for row in shown(places({**HOST, "PageTables": 6 * GIB}, NOWHERE)) if row[0] == KERNEL]
    assert kernel[1] == 10 * GIB + 256 * MIB
    assert [part.name for part in kernel[2]] == ["page tables", "slab"]


def test_parts_that_matter_only_together_are_told_together() -> None:
    found = [Place(name, 5, 0.6, kernel=True) for name in ("slab", "page tables")]
    assert shown([*found, Place(FREE, 9, 98.0)]) == [(KERNEL, 10, [])]


PIPES = {"kernel": 343, "kernel_stack": 2, "pagetables": 3, "percpu": 1, "slab_reclaimable": 4, "slab_unreclaimable": 5}


@pytest.mark.parametrize(
    ("stat", "beside"),
    [
        (PIPES, 343 - 15),
        ({**PIPES, "sec_pagetables": 8, "vmalloc": 20}, 343 - 43),
        ({"kernel": 90, "slab_unreclaimable": 95}, 0),
        ({"anon": 5, "slab_unreclaimable": 95}, 0),
        ({}, 0),
    ],
)
def test_what_groups_are_charged_for_and_no_counter_shows(stat: dict[str, int], beside: int) -> None:
    assert charged_beside(stat) == beside


def test_the_buffers_of_pipes_are_the_kernels_and_no_drivers() -> None:
    info = {"MemTotal": 480 * MIB, "MemFree": 20 * MIB, "AnonPages": 100 * MIB}
    found = places(info, Elsewhere(buffers=330 * MIB))
    assert (size_of(found, BUFFERS), size_of(found, KERNEL), size_of(found, UNCOUNTED)) == (
        330 * MIB,
        330 * MIB,
        30 * MIB,
    )
    assert size_of(places(info, Elsewhere(buffers=900 * MIB)), UNCOUNTED) == 0


def test_a_page_in_the_swap_cache_that_a_process_maps_is_not_counted_twice() -> None:
    # a packet ring of 180 MiB in 470 MiB of RAM, Linux 6.1: most of the swap cache is mapped, and so in AnonPages
    info = {"MemTotal": 470 * MIB, "MemFree": 8 * MIB, "Cached": 15 * MIB, "SwapCached": 149 * MIB,
            "Active": 69 * MIB, "Inactive": 172 * MIB, "AnonPages": 220 * MIB, "Slab": 25 * MIB}  # fmt: skip
    found = sizes(info)
    assert found["page cache"] == 15 * MIB
    assert found["anonymous"] == 226 * MIB, "6 MiB of the swap cache are mapped by nobody"
    assert found[UNCOUNTED] == (470 - 8 - 15 - 226 - 25) * MIB


def test_without_the_lists_of_reclaim_the_swap_cache_counts_beside_the_mapped_pages() -> None:
    found = sizes({"MemTotal": 100 * MIB, "MemFree": 10 * MIB, "AnonPages": 40 * MIB, "SwapCached": 20 * MIB})
    assert found["anonymous"] == 60 * MIB
