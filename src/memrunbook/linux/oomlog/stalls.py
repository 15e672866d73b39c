"""Allocations that took seconds: who waited, and whether the zones of the report were below what must stay free."""

from __future__ import annotations

import re

from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, AllocationStall
from memrunbook.linux.oomlog.frame import KERNEL, LogLine, bare_name
from memrunbook.linux.zones import PrintedZone

_STALL = re.compile(r"(.*): page allocation stalls for (\d{1,12}) ?ms\b(.*)", re.DOTALL)
_ASKED = re.compile(r"order: ?(\d{1,3})(?:,\s*mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?)?")
RESERVE_TOO_LARGE = 0.03
"""Above this share of RAM vm.min_free_kbytes makes everybody wait for memory that is there (it is 1 % or less)."""

MUCH_UNWRITTEN = 0.1
"""Of RAM: the kernel starts to write at 10 % (vm.dirty_background_ratio), and stops the writers at 20 %."""


def stall(line: LogLine) -> AllocationStall | None:
    """Somebody waited for a page."""
    found = _STALL.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    told = AllocationStall(line.stamp, bare_name(found[1]), 0, "", date=line.date, waited_ms=int(found[2]))
    asked(told, found[3])
    return told


def asked(told: AllocationStall, text: str) -> None:
    """What was asked for: behind the wait, or in the next line where a mail program broke it."""
    found = _ASKED.search(text.partition("\n\n")[0][:512]) if not told.mode else None
    if found:
        told.order, told.mode, told.flags = int(found[1]), found[2] or "", found[3]


def starved(told: AllocationStall) -> list[PrintedZone]:
    """The zones that had less free than must stay: requests that may wait get no page of them."""
    return [zone for zone in told.zones if zone.free_kib < zone.min_kib]


def unwritten_kib(told: AllocationStall) -> int:
    """File pages that wait for the disk, where they are much of the RAM; else 0."""
    page = told.page_kib or USUAL_PAGE_KIB
    waiting = (told.counts.get("dirty", 0) + told.counts.get("writeback", 0)) * page
    sizes = sum(zone.size_kib or 0 for zone in told.zones)
    ram = ((told.ram_pages or 0) - told.reserved_pages) * page if told.ram_pages else sizes
    return waiting if ram and waiting >= MUCH_UNWRITTEN * ram else 0


def reserve_share(told: AllocationStall) -> float | None:
    """The share of RAM that the zones of the report keep back; None without a whole report."""
    ram = ((told.ram_pages or 0) - told.reserved_pages) * (told.page_kib or USUAL_PAGE_KIB)
    return sum(zone.min_kib for zone in told.zones) / ram if told.zones and ram > 0 else None
