"""Allocations that took seconds: who waited, and whether the zones of the report were below what must stay free."""

from __future__ import annotations

import re

from memrunbook.linux.oomlog import memory
from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, AllocationStall, Picture, Watermark
from memrunbook.linux.oomlog.frame import KERNEL, LogLine, bare_name

_STALL = re.compile(r"(.*): page allocation stalls for (\d{1,12}) ?ms\b(.*)", re.DOTALL)
_ASKED = re.compile(r"order: ?(\d{1,3})(?:,\s*mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?)?")
_WATERMARKS = re.compile(
    rf"(?:Node {memory.NUMBER} )?(\w+) free:({memory.NUMBER})kB (?:boost:{memory.NUMBER}kB )?min:({memory.NUMBER})kB"
)
MOST_ZONES = 64
RESERVE_TOO_LARGE = 0.03
"""Above this share of RAM vm.min_free_kbytes makes everybody wait for memory that is there (it is 1 % or less)."""


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


def zone(picture: Picture, text: str) -> bool:
    """A zone of a memory report; of a stall, what is free in it and what must stay so."""
    found = _WATERMARKS.match(text) if isinstance(picture, AllocationStall) else None
    if found and isinstance(picture, AllocationStall) and len(picture.watermarks) < MOST_ZONES:
        picture.watermarks.append(Watermark(found[1], int(found[2]), int(found[3])))
    return memory.zone(picture, text) or found is not None


def starved(told: AllocationStall) -> list[Watermark]:
    """The zones that had less free than must stay: requests that may wait get no page of them."""
    return [mark for mark in told.watermarks if mark.free_kib < mark.min_kib]


def reserve_share(told: AllocationStall) -> float | None:
    """The share of RAM that the zones of the report keep back; None without a whole report."""
    ram = ((told.ram_pages or 0) - told.reserved_pages) * (told.page_kib or USUAL_PAGE_KIB)
    return sum(mark.min_kib for mark in told.watermarks) / ram if told.watermarks and ram > 0 else None
