"""Fragmentation: free blocks by zone and order, and how much of the free memory a larger request cannot use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable, Whole
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.memory import total_bytes
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, FieldValues, Readings, latest
from memrunbook.linux.fragmentation import fragmentation_index, pages_in, unusable_index

BUDDYINFO = "/proc/buddyinfo"
ZONEINFO = "/proc/zoneinfo"
MAIN_SHARE = 0.05
"""A zone counts when it holds this share of RAM; the others are small by design.

With more than twenty NUMA nodes none does: then each counts that holds this share of its node.
"""
NETWORK, HUGE = 3, 9
INDICES = ("unusable", "extfrag", "unusable_3", "extfrag_3", "unusable_9", "extfrag_9")
NO_RAM = Unavailable("failed", "the size of RAM is unknown")
SHORT = Unavailable("failed", "no large zone is above its high watermark: shortage, not fragmentation")
_BUDDY = re.compile(r"^Node (\d{1,6}), zone +(\S{1,32})((?: +\d{1,19}){1,32}) *$", re.MULTILINE | re.ASCII)
_ZONE = re.compile(r"^Node (\d{1,6}), zone +(\S{1,32})[ \t]*$", re.MULTILINE | re.ASCII)
_MARK = re.compile(r"^[ \t]+(high|managed|present)[ \t]+(\d{1,13})$", re.MULTILINE | re.ASCII)


class Zone(Struct, frozen=True):
    """One zone of one NUMA node; `unusable` and `extfrag` by order, as the kernel's mm/vmstat.c computes them."""

    node: Annotated[int, Doc("NUMA node", source=BUDDYINFO)]
    name: Annotated[str, Doc("name of the zone", source=BUDDYINFO)]
    main: Annotated[
        bool,
        Doc(
            "holds 5 % of RAM (with many nodes: of its node) and has free pages above its high watermark",
            source=ZONEINFO,
        ),
    ]
    free_bytes: Annotated[int, Doc("free memory in blocks", Unit.BYTES, BUDDYINFO)]
    managed_bytes: Annotated[int | None, Doc("memory of the zone", Unit.BYTES, f"{ZONEINFO} managed")]
    high_bytes: Annotated[int | None, Doc("high watermark", Unit.BYTES, f"{ZONEINFO} high")]
    free_blocks: Annotated[list[int], Doc("free blocks of 2^order pages", Unit.COUNT, BUDDYINFO)]
    unusable: Annotated[
        list[float], Doc("free memory too small for the order: 0 none, 1 all", Unit.RATIO, "mm/vmstat.c")
    ]
    extfrag: Annotated[
        list[float],
        Doc("-1 would succeed; near 0 fails for lack of memory, near 1 for fragmentation", Unit.RATIO, "mm/vmstat.c"),
    ]


class BuddyReading(Reading, frozen=True, kw_only=True):
    """The worst of the main zones; without one nothing can be said of fragmentation."""

    orders: Annotated[int, Doc("block sizes that this kernel knows", Unit.COUNT, BUDDYINFO)]
    unusable: Annotated[list[float] | None, Doc("unusable index by order, worst main zone", Unit.RATIO, BUDDYINFO)] = (
        None
    )
    extfrag: Annotated[
        list[float] | None, Doc("fragmentation index by order, worst main zone", Unit.RATIO, BUDDYINFO)
    ] = None
    unusable_3: Annotated[
        float | None, Doc("unusable index of order 3: network buffers, stacks", Unit.RATIO, BUDDYINFO)
    ] = None
    unusable_9: Annotated[float | None, Doc("unusable index of order 9: huge pages", Unit.RATIO, BUDDYINFO)] = None
    extfrag_3: Annotated[
        float | None, Doc("fragmentation index of order 3: network buffers, stacks", Unit.RATIO, BUDDYINFO)
    ] = None
    extfrag_9: Annotated[float | None, Doc("fragmentation index of order 9: huge pages", Unit.RATIO, BUDDYINFO)] = None
    zones: Annotated[list[Zone], Doc("all zones", Unit.COUNT, BUDDYINFO)]


class _Marks(Struct, frozen=True):
    managed: int | None = None
    high: int | None = None


def parse(samples: Samples, readings: Readings) -> BuddyReading | Unavailable:
    """Reads the free blocks; zoneinfo tells which zones count, without it those with 5 % of RAM free."""
    answer = latest(samples, BUDDYINFO)
    page, ram = page_size(readings), total_bytes(readings)
    if answer.problem:
        return answer.problem
    if not page:
        return NO_PAGE_SIZE
    marks = dict(_marks(latest(samples, ZONEINFO).text, page))
    zones = _judged(list(_zones(answer.text, page, marks)), ram)
    if not zones:
        return Unavailable("failed", f"{BUDDYINFO} holds no zone")
    main = [zone for zone in zones if zone.main]
    return BuddyReading(
        orders=max(len(zone.free_blocks) for zone in zones),
        zones=zones,
        unavailable={} if main else dict.fromkeys(INDICES, SHORT if ram else NO_RAM),
        **_named("unusable", [zone.unusable for zone in main]),
        **_named("extfrag", [zone.extfrag for zone in main]),
    )


def _named(name: str, zones: list[list[float]]) -> FieldValues:
    """The worst zone's index at each order."""
    worst = [max(column) for column in zip(*zones, strict=False)]
    single = {f"{name}_{order}": worst[order] for order in (NETWORK, HUGE) if order < len(worst)}
    return {name: worst or None, **single}


def _zones(text: str, page: int, marks: dict[tuple[str, str], _Marks]) -> Iterator[Zone]:
    for node, name, columns in _BUDDY.findall(text):
        blocks = [int(column) for column in columns.split()]
        free = pages_in(blocks) * page
        if free > numbers.MOST:
            continue
        mark = marks.get((node, name), _Marks())
        orders = range(len(blocks))
        yield Zone(
            node=int(node),
            name=name,
            main=False,
            free_bytes=free,
            managed_bytes=mark.managed,
            high_bytes=mark.high,
            free_blocks=blocks,
            unusable=[unusable_index(blocks, order) for order in orders],
            extfrag=[fragmentation_index(blocks, order) for order in orders],
        )


def _judged(zones: list[Zone], ram: int | None) -> list[Zone]:
    """The same zones, the main ones marked."""
    if not ram:
        return zones
    large = [zone for zone in zones if _holds(zone) >= MAIN_SHARE * ram]
    large = large or [zone for zone in zones if (zone.managed_bytes or 0) >= MAIN_SHARE * _node(zones, zone.node)]
    return [replace(zone, main=zone in large and zone.free_bytes > (zone.high_bytes or 0)) for zone in zones]


def _holds(zone: Zone) -> int:
    return zone.free_bytes if zone.managed_bytes is None else zone.managed_bytes


def _node(zones: list[Zone], node: int) -> int:
    """What a node holds, in bytes; more than anything where that is not known."""
    return sum(zone.managed_bytes or 0 for zone in zones if zone.node == node) or numbers.MOST


def _marks(zoneinfo: str, page: int) -> Iterator[tuple[tuple[str, str], _Marks]]:
    """Each zone's memory (`present` before 3.8) and high watermark; the first of a name counts, pagesets follow."""
    _, *parts = _ZONE.split(zoneinfo)
    for node, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        found = {key: int(value) * page for key, value in reversed(_MARK.findall(text))}
        yield (node, name), _Marks(found.get("managed", found.get("present")), found.get("high"))


FACT = Fact(
    reading=BuddyReading,
    parse=parse,
    asks=(Read(BUDDYINFO), Whole(ZONEINFO)),
    needs=("host", "memory"),
    meaning="fragmentation of free memory",
)
