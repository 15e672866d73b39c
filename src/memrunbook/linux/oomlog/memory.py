"""The lines of a memory report (`Mem-Info:`): totals, zones, free blocks, huge pages, swap."""

from __future__ import annotations

import re

from msgspec import structs

from memrunbook.linux.fragmentation import pages_in
from memrunbook.linux.oomlog.event import Picture
from memrunbook.linux.zones import PrintedZone

NUMBER = r"\d{1,18}"
_COUNT = re.compile(
    r"\b([Aa]ctive(?:_anon|_file)?|inactive(?:_anon|_file)?|free(?:_pcp)?|isolated(?:_anon|_file)|slab(?:_reclaimable|_unreclaimable)?|mapped|shmem"
    rf"|pagetables|unevictable|dirty|writeback|kernel_misc_reclaimable|sec_pagetables):({NUMBER})\b"
)
_STACK = re.compile(rf"\bkernel_stack:({NUMBER})kB")
_ZONE = re.compile(rf"(?:Node ({NUMBER}) )?(\w{{1,32}}) free:{NUMBER}kB (?:boost:{NUMBER}kB )?min:{NUMBER}kB\b")
_SIZE = re.compile(rf"\b([a-z_]{{3,24}}):({NUMBER})[kK]B")
_RESERVE = re.compile(r"lowmem_reserve\[\]:((?: \d{1,18}){1,8})")
_BLOCKS = re.compile(rf"((?:Node {NUMBER} )?\w{{1,32}}): ({NUMBER}\*({NUMBER})kB.*) = {NUMBER}kB")
_BLOCK = re.compile(rf"({NUMBER}+)\*{NUMBER}kB(?: \(([A-Z]{{1,8}})\))?")
_CACHE = re.compile(rf"(\S{{1,64}}) +{NUMBER}KB +({NUMBER})KB *\r?$", re.MULTILINE)
_HUGE = re.compile(rf"(?:Node {NUMBER} )?hugepages_total=({NUMBER}) .*hugepages_size=({NUMBER})kB")
_SWAP = re.compile(rf"(Free|Total) swap *[=:] *(-?{NUMBER})kB")
_PAGES = re.compile(rf"({NUMBER}) (pages RAM|pages reserved|reserved pages)\W*$")
MOST_ZONES = 4096
MOST_CACHES = 5


def counts(picture: Picture, text: str) -> bool:
    """The host's totals in pages, in the lines below `Mem-Info:`; the first of each counts, zones print theirs in kB.

    Each function says whether the line was its kind.
    """
    found = _COUNT.findall(text)
    for name, value in found:
        picture.counts.setdefault(name.lower(), int(value))
    _stacks(picture, text)
    return bool(found)


def zone(picture: Picture, text: str) -> bool:
    """A zone with its watermarks; the size is what is `managed`, before 3.8 what is `present`."""
    found = _ZONE.match(text)
    if found is None or len(picture.zones) >= MOST_ZONES:
        return False
    sizes = {name: int(value) for name, value in reversed(_SIZE.findall(text))}
    node, low = int(found[1] or 0), sizes.get("low", sizes["min"] * 5 // 4)
    picture.nodes.add(node)
    picture.free_kib += sizes["free"]
    _stacks(picture, text)
    picture.zones.append(
        PrintedZone(
            name=found[2],
            node=node,
            free_kib=sizes["free"],
            min_kib=sizes["min"],
            low_kib=low,
            high_kib=sizes.get("high", low + max(0, low - sizes["min"])),  # they are as far apart, and lines are cut
            size_kib=sizes.get("managed", sizes.get("present")),
            cma_kib=sizes.get("free_cma", 0),
            highatomic_kib=sizes.get("free_highatomic", sizes.get("reserved_highatomic", 0)),
        )
    )
    return True


def reserve(picture: Picture, text: str) -> bool:
    """What the zone above keeps from requests that may use a higher one, in pages."""
    found = _RESERVE.match(text)
    if found and picture.zones:
        pages = tuple(map(int, found[1].split()))
        picture.zones[-1] = structs.replace(picture.zones[-1], reserve=pages)
    return found is not None


def blocks(picture: Picture, text: str) -> bool:
    """The free blocks of a zone, by order, with the letters of their types; the smallest one is a page."""
    found = _BLOCKS.match(text)
    if found is None or len(picture.blocks) >= MOST_ZONES:
        return False
    counted = _BLOCK.findall(found[2])
    picture.blocks.setdefault(found[1], [int(count) for count, _ in counted])
    picture.types.setdefault(found[1], [letters for _, letters in counted])
    picture.page_kib = picture.page_kib or int(found[3])
    return True


def zones(picture: Picture) -> list[PrintedZone]:
    """The zones with their free blocks; kernels without NUMA print no node. Of a cut report, the blocks alone."""
    if not picture.zones:
        return [found for label in picture.blocks for found in _of_blocks(picture, label)]
    return [_with_blocks(picture, zone) for zone in picture.zones]


def _of_blocks(picture: Picture, label: str) -> list[PrintedZone]:
    *node, name = label.split()
    number = int(node[-1]) if node else 0
    free = pages_in(picture.blocks[label]) * (picture.page_kib or 0)
    return [_with_blocks(picture, PrintedZone(name=name, node=number, free_kib=free, size_kib=free))] if free else []


def _with_blocks(picture: Picture, zone: PrintedZone) -> PrintedZone:
    label = zone.label if zone.label in picture.blocks else zone.name
    counted = picture.blocks.get(label, [])
    return structs.replace(zone, blocks=tuple(counted), types=tuple(picture.types.get(label, [])))


def caches_begin(picture: Picture, text: str) -> bool:
    """The line above the list of the kernel's own caches."""
    picture.caches = {}
    return text.startswith("Unreclaimable slab info")


def caches(picture: Picture, text: str) -> None:
    """The list below "Unreclaimable slab info:" (4.15 and later): name, used and total of each kernel cache."""
    found = {**picture.caches, **{name: int(total) for name, total in _CACHE.findall(text)}}
    largest = sorted(found, key=found.__getitem__, reverse=True)[:MOST_CACHES]
    picture.caches = {name: found[name] for name in largest}


def _stacks(picture: Picture, text: str) -> None:
    """The stacks of all threads: told of each zone, since 5.9 of each node."""
    found = _STACK.findall(text)
    if found:
        picture.stack_kib = (picture.stack_kib or 0) + sum(map(int, found))


def huge(picture: Picture, text: str) -> bool:
    found = _HUGE.match(text)
    if found:
        picture.huge_kib = (picture.huge_kib or 0) + int(found[1]) * int(found[2])
    return found is not None


def swap(picture: Picture, text: str) -> bool:
    found = _SWAP.match(text)
    if found and found[1] == "Free":
        picture.free_swap_kib = int(found[2])
    elif found:
        picture.total_swap_kib = int(found[2])
    return found is not None


def pages(picture: Picture, text: str) -> bool:
    found = _PAGES.match(text)
    if found and found[2] == "pages RAM":
        picture.ram_pages = int(found[1])
    elif found:
        picture.reserved_pages = int(found[1])
    return found is not None
