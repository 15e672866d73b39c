"""One request for memory against the zones that it may use: was memory short, fragmented, or did something else say no.

A zone serves a request while its usable free memory is above a watermark plus what it keeps for requests that could
use lower zones only (mm/page_alloc.c, __zone_watermark_ok). Sums over zones decide nothing: they are for display.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from memrunbook.linux.fragmentation import fragmentation_index

ZoneState = Literal["short", "fragmented", "not-short", "unknown"]
ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
"""All zones, from the lowest up; a kernel has some of them."""
GUESSED = ("Normal", "Movable", "DMA32", "DMA", "Device", "HighMem")
"""Zones that are there and hold no memory are not printed: which ones most kernels have, the likeliest first."""
DMA, HIGHMEM, DMA32, MOVABLE = 1, 2, 4, 8
"""The low four bits of a gfp mask are the same in all kernels (include/linux/gfp.h)."""
FRAGMENTED = 0.5
"""Above this index the kernel itself speaks of fragmentation (vm.extfrag_threshold 500)."""
SMALL = 0.05
"""A zone with less of the memory that a request may use (the 16 MiB of DMA) does not speak for it."""
MOST_NODES = 1024
NO_NODES = "(null)"
"""What the kernel prints for a list that is not there: any node will do."""


class PrintedZone(Struct, frozen=True, kw_only=True):
    """A zone as the kernel prints it; sizes in KiB, None where this kernel does not print one.

    `reserve` is lowmem_reserve[] in pages: what it keeps from requests that may use a higher zone, by that zone.
    `blocks` are the free blocks by order, `types` the letters behind them ("UM", "C", "" for none).
    """

    name: str
    node: int = 0
    free_kib: int = 0
    min_kib: int = 0
    low_kib: int = 0
    high_kib: int = 0
    size_kib: int | None = None
    cma_kib: int = 0
    highatomic_kib: int = 0
    reserve: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The zone as the kernel names it."""
        return f"Node {self.node} {self.name}"


class PageRequest(Struct, frozen=True, kw_only=True):
    """What was asked for: the gfp mask as printed with its names where they are, 2^order pages, from which nodes.

    `last_look`: the killer was called, and so even the last look, above the high watermark and without CMA, found none.
    """

    gfp: str | None = None
    flags: str | None = None
    order: int = 0
    nodemask: str | None = None
    mems_allowed: str | None = None
    last_look: bool = False

    @property
    def mask(self) -> int | None:
        """The mask as a number; None where it was not printed."""
        return None if self.gfp is None else int(self.gfp, 16)

    @property
    def movable(self) -> bool:
        """Memory of processes and files, which may lie in Movable and CMA; by the names where they are printed."""
        bits = (self.mask or 0) & (HIGHMEM | MOVABLE)
        return bits == HIGHMEM | MOVABLE or "MOVABLE" in (self.flags or "")

    @property
    def atomic(self) -> bool:
        """It could not wait; without names, by the bits of the kernels before 4.6: 0x10 may wait, 0x20 is urgent."""
        if self.flags:
            return bool({"GFP_ATOMIC", "__GFP_ATOMIC", "GFP_NOWAIT"} & set(self.flags.split("|")))
        return bool((self.mask or 0) & 0x20) and not (self.mask or 0) & 0x10

    @property
    def highest(self) -> str:
        """The highest zone that it may use; a request of an unknown mask is taken for one of a process."""
        if self.mask is None or self.movable:
            return "Movable"
        bits = self.mask
        return "DMA" if bits & DMA else "DMA32" if bits & DMA32 else "HighMem" if bits & HIGHMEM else "Normal"


class Beyond(Struct, frozen=True):
    """Free memory that the request could not have: how much, and why."""

    kib: int
    why: str


class Judgement(Struct, frozen=True, kw_only=True):
    """What the zones say of one request; sizes in KiB.

    `zone` is the one that decides: the largest of those that the request may use. It needs more than `needed_kib` (its
    `watermark`, and what it keeps for others); `usable_kib` of its `free_kib` count. `index`: how fragmented it is.
    """

    state: ZoneState
    zone: str = ""
    free_kib: int = 0
    usable_kib: int = 0
    needed_kib: int = 0
    watermark: str = ""
    index: float | None = None
    beyond: tuple[Beyond, ...] = ()

    @property
    def low_memory(self) -> bool:
        """Memory that the request may not use was free: more RAM or swap would not have served it."""
        return self.state == "short" and any(one.why.startswith(HIGHER) for one in self.beyond)


HIGHER = "in "
UNKNOWN = Judgement(state="unknown")


def judge(zones: Sequence[PrintedZone], ask: PageRequest, page_kib: int) -> Judgement:
    """Decides on the zones that the request may use; unknown where the log shows none of them."""
    allowed = [zone for zone in zones if _may_use(zone, ask, zones)]
    weighty = [zone for zone in allowed if _weighs(zone, allowed)]
    if not weighty:
        return UNKNOWN
    found = [_judge_zone(zone, ask, page_kib, zones) for zone in weighty]
    first = next((one for state in ("not-short", "fragmented") for one in found if one.state == state), None)
    largest = max(zip(weighty, found, strict=True), key=lambda pair: (_size(pair[0]), ORDER.index(pair[0].name)))[1]
    decided = first or largest
    return Judgement(
        state=decided.state,
        zone=decided.zone,
        free_kib=decided.free_kib,
        usable_kib=decided.usable_kib,
        needed_kib=decided.needed_kib,
        watermark=decided.watermark,
        index=decided.index,
        beyond=tuple(_beyond(zones, allowed, ask)) if decided.state == "short" else (),
    )


def nodes_of(text: str | None) -> set[int] | None:
    """The nodes of a list as the kernel prints it ("0-1,3"); None for all of them."""
    if text is None or text in ("", NO_NODES):
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal():
            end = int(last) if last.isdecimal() else int(first)
            found.update(range(int(first), min(end, MOST_NODES) + 1))
    return found or None


def _judge_zone(zone: PrintedZone, ask: PageRequest, page_kib: int, zones: Sequence[PrintedZone]) -> Judgement:
    usable, (level, watermark) = usable_kib(zone, ask), _watermark(zone, ask)
    needed = level + _reserve(zone, ask, zones) * page_kib
    index = fragmentation_index(zone.blocks, ask.order) if zone.blocks and ask.order else None
    state: ZoneState = "not-short" if zone.min_kib else "unknown"  # from free blocks alone one page tells nothing
    if usable <= needed or (not zone.min_kib and index is not None and -1 < index <= FRAGMENTED):
        state = "short"
    elif ask.order > 0:
        # Without the free blocks: one page could have been had, so it is the size that could not.
        pages = _fitting(zone, ask) - (level // page_kib >> ask.order) if zone.blocks else 0
        state = "fragmented" if pages <= 0 else state
    return Judgement(
        state=state,
        zone=zone.label,
        free_kib=zone.free_kib,
        usable_kib=usable,
        needed_kib=needed,
        watermark=watermark,
        index=None if index is None else round(index, 3),
    )


def usable_kib(zone: PrintedZone, ask: PageRequest) -> int:
    """Free memory of a zone that counts for this request."""
    unusable = 0 if ask.movable and not ask.last_look else zone.cma_kib
    unusable += 0 if ask.atomic else zone.highatomic_kib
    return max(0, zone.free_kib - unusable)


def _watermark(zone: PrintedZone, ask: PageRequest) -> tuple[int, str]:
    """What must stay free for this kind of request; a failure is printed when some was given back already."""
    if ask.last_look:
        return zone.high_kib, "high"
    if ask.atomic:
        return zone.min_kib * 3 // 8, "min"  # half of it, then a quarter less
    return (zone.min_kib, "min") if ask.order else (zone.low_kib, "low")


def _reserve(zone: PrintedZone, ask: PageRequest, zones: Sequence[PrintedZone]) -> int:
    """The pages that the zone keeps from a request which may use a higher zone."""
    if not zone.reserve:
        return 0
    names = _compiled(zones, len(zone.reserve))
    below = [place for place, name in enumerate(names) if ORDER.index(name) <= ORDER.index(ask.highest)]
    return zone.reserve[below[-1]] if below and len(names) == len(zone.reserve) else max(zone.reserve)


def _compiled(zones: Sequence[PrintedZone], count: int) -> list[str]:
    """The zones that this kernel has, by those that it prints and how many reserves it prints for each."""
    names = {zone.name for zone in zones if zone.name in ORDER}
    for name in GUESSED:
        more = sorted({*names, name}, key=ORDER.index)
        if len(more) <= count and not {"DMA32", "HighMem"} <= set(more) and _agrees(zones, more):
            names.add(name)
    return sorted(names, key=ORDER.index)


def _agrees(zones: Sequence[PrintedZone], names: list[str]) -> bool:
    """A zone keeps nothing from those that may use no higher zone than itself: its reserves begin with zeros."""
    return not any(any(zone.reserve[: names.index(zone.name) + 1]) for zone in zones if zone.name in names)


def _may_use(zone: PrintedZone, ask: PageRequest, zones: Iterable[PrintedZone]) -> bool:
    if zone.name not in ORDER or ORDER.index(zone.name) > ORDER.index(ask.highest):
        return False
    return zone.node in _nodes(ask, {one.node for one in zones})


def _nodes(ask: PageRequest, there: set[int]) -> set[int]:
    """The nodes that it may use; a cpuset does not bind who cannot wait."""
    policy, cpuset = nodes_of(ask.nodemask), None if ask.atomic else nodes_of(ask.mems_allowed)
    found = there if policy is None else there & policy
    return found if cpuset is None else found & cpuset


def _weighs(zone: PrintedZone, allowed: Sequence[PrintedZone]) -> bool:
    sizes = [_size(one) for one in allowed]
    return len(allowed) == 1 or not all(sizes) or _size(zone) >= SMALL * sum(sizes)


def _size(zone: PrintedZone) -> int:
    return zone.size_kib or 0


def _fitting(zone: PrintedZone, ask: PageRequest) -> int:
    """Pages in free blocks of the order and of larger ones, of a type that the request may take.

    Before 4.4 more than the watermark, halved for each order, had to be in those; since then one block is enough.
    """
    letters = zone.types or ("",) * len(zone.blocks)
    there = enumerate(zip(zone.blocks, letters, strict=False))
    return sum(
        count << order
        for order, (count, types) in there
        if order >= ask.order and (not types or set(types) & _letters(ask))
    )


def _letters(ask: PageRequest) -> set[str]:
    """U unmovable, M movable, E reclaimable (all of them may be taken), C CMA, H kept for who cannot wait."""
    return {"U", "M", "E", "R"} | ({"C"} if ask.movable else set()) | ({"H"} if ask.atomic else set())


def _beyond(zones: Sequence[PrintedZone], allowed: Sequence[PrintedZone], ask: PageRequest) -> Iterable[Beyond]:
    """Free memory that the request could not have, the reasons one by one."""
    cma = sum(zone.free_kib - usable_kib(zone, ask) for zone in allowed if zone.cma_kib)
    if cma:
        yield Beyond(cma, "of it in CMA, which is kept for devices" + ("" if ask.movable else " and movable pages"))
    nodes = _nodes(ask, {zone.node for zone in zones})
    above = [zone for zone in zones if zone not in allowed and zone.node in nodes and zone.free_kib > zone.high_kib]
    for name in ORDER:
        free = sum(zone.free_kib for zone in above if zone.name == name)
        if free:
            yield Beyond(free, f"{HIGHER}{name}, which this request may not use")
    others = sum(zone.free_kib for zone in zones if zone.node not in nodes)
    if others:
        yield Beyond(others, "on other nodes, which this request may not use")
