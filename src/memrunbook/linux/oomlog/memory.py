"""The lines of a memory report (`Mem-Info:`): totals, zones, free blocks, huge pages, swap."""

from __future__ import annotations

import re

from memrunbook.linux.oomlog.event import Picture

NUMBER = r"\d{1,18}"
_COUNT = re.compile(
    r"\b([Aa]ctive(?:_anon|_file)?|inactive(?:_anon|_file)?|free|slab(?:_reclaimable|_unreclaimable)?|mapped|shmem"
    rf"|pagetables|unevictable|dirty|writeback|kernel_misc_reclaimable|sec_pagetables):({NUMBER})\b"
)
_ZONE = re.compile(
    rf"(?:Node ({NUMBER}) )?\w+ free:({NUMBER})kB (?:boost:{NUMBER}kB )?min:{NUMBER}kB low:{NUMBER}kB high:({NUMBER})kB"
)
_BLOCKS = re.compile(rf"((?:Node {NUMBER} )?\w{{1,32}}): ({NUMBER}\*({NUMBER})kB.*) = {NUMBER}kB")
_BLOCK = re.compile(rf"({NUMBER}+)\*(?={NUMBER}kB)")
_HUGE = re.compile(rf"(?:Node {NUMBER} )?hugepages_total=({NUMBER}) .*hugepages_size=({NUMBER})kB")
_SWAP = re.compile(rf"(Free|Total) swap *[=:] *(-?{NUMBER})kB")
_PAGES = re.compile(rf"({NUMBER}) (pages RAM|pages reserved|reserved pages)\W*$")
MOST_ZONES = 4096


def counts(picture: Picture, text: str) -> bool:
    """The host's totals in pages, in the lines below `Mem-Info:`; the first of each counts, zones print theirs in kB.

    Each function says whether the line was its kind.
    """
    found = _COUNT.findall(text)
    for name, value in found:
        picture.counts.setdefault(name.lower(), int(value))
    return bool(found)


def zone(picture: Picture, text: str) -> bool:
    found = _ZONE.match(text)
    if found:
        picture.nodes.add(int(found[1] or 0))
        picture.free_kib += int(found[2])
        picture.high_kib += int(found[3])
    return found is not None


def blocks(picture: Picture, text: str) -> bool:
    """The free blocks of a zone; the smallest one is a page."""
    found = _BLOCKS.match(text)
    if found is None or len(picture.blocks) >= MOST_ZONES:
        return False
    picture.blocks.setdefault(found[1], list(map(int, _BLOCK.findall(found[2]))))
    picture.page_kib = picture.page_kib or int(found[3])
    return True


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
