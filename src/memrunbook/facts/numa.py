"""NUMA nodes: how much of each is free, how often it had to refuse, and whether one is full beside an empty one."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.buddy import BuddyReading
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Rate, Readings, intervals, latest, per_second

FOLDER = "/sys/devices/system/node/node"
MEMINFO, NUMASTAT = "/meminfo", "/numastat"
ROOMY_PERCENT = 20.0
FULL_PERCENT = 1.0
NEAR_HIGH = 4
"""Reclaim keeps a full node near its high watermark; of a small one it frees more than that in one go."""
UNDECIDED = Unavailable("failed", "a node is short of free memory; its watermarks or a second sample are missing")
_SIZE = re.compile(r"^Node \d{1,6} (MemTotal|MemFree):[ \t]+(\d{1,15}) kB[ \t]*$", re.MULTILINE | re.ASCII)


class Node(Struct, frozen=True):
    """One node that has memory."""

    name: Annotated[str, Doc("its number", source=FOLDER)]
    total_bytes: Annotated[int, Doc("its memory", Unit.BYTES, f"{FOLDER}N{MEMINFO} MemTotal")]
    free_bytes: Annotated[int, Doc("of this, unused; low is normal", Unit.BYTES, f"{FOLDER}N{MEMINFO} MemFree")]
    free_percent: Annotated[float, Doc("unused share", Unit.PERCENT, "MemFree / MemTotal")]
    least_percent: Annotated[float, Doc("the least that was unused in a sample", Unit.PERCENT, "MemFree / MemTotal")]
    high_bytes: Annotated[
        int | None, Doc("free memory at which reclaim stops", Unit.BYTES, "/proc/zoneinfo high, all its zones")
    ]
    foreign_per_second: Annotated[
        float | None,
        Doc("pages wanted here that another node gave", Unit.PER_SECOND, f"{FOLDER}N{NUMASTAT} numa_foreign"),
    ]
    miss_per_second: Annotated[
        float | None,
        Doc("pages given here that another node should have", Unit.PER_SECOND, f"{FOLDER}N{NUMASTAT} numa_miss"),
    ]


class NumaReading(Reading, frozen=True, kw_only=True):
    """The nodes that have memory."""

    node_count: Annotated[int, Doc("nodes with memory", Unit.COUNT, FOLDER)]
    nodes: Annotated[list[Node], Doc("the nodes", Unit.COUNT, FOLDER)]
    imbalanced: Annotated[
        bool | None,
        Doc(
            "one node is below its high watermark and sends requests away while another is over 20 % free",
            source="MemFree, /proc/zoneinfo high, numa_foreign",
        ),
    ] = None
    lopsided: Annotated[
        str,
        Doc(
            'a node with less free than 1 % or four times its high watermark, and one with over 20 %, as "node 0 with '
            '0.2 % free beside node 1 with 43 %"; empty for none. Page cache alone makes that too: it matters if '
            "somebody waits",
            source="MemFree, /proc/zoneinfo high",
        ),
    ] = ""


def parse(samples: Samples, readings: Readings) -> NumaReading | Unavailable:
    """Reads the files of every node; a host that shows no nodes is `absent`."""
    first = samples[0]
    paths = first.matching(FOLDER, MEMINFO)
    if not paths:
        return Unavailable("absent", "this kernel shows no NUMA nodes")
    found = [_node(path.removesuffix(MEMINFO), samples, readings) for path in paths]
    nodes = sorted((node for node in found if node), key=lambda node: (len(node.name), node.name))
    if not nodes:
        return Unavailable("failed", f"{FOLDER}*{MEMINFO} hold no MemTotal and MemFree")
    imbalanced = _imbalanced(nodes)
    gaps = {} if imbalanced is not None else {"imbalanced": UNDECIDED}
    return NumaReading(
        node_count=len(nodes), nodes=nodes, imbalanced=imbalanced, lopsided=_lopsided(nodes), unavailable=gaps
    )


def _node(path: str, samples: Samples, readings: Readings) -> Node | None:
    sizes = _sizes(latest(samples, path + MEMINFO).text)
    total, free = sizes.get("MemTotal"), sizes.get("MemFree")
    if not total or free is None:
        return None
    seen = [_sizes(one.text(path + MEMINFO) or "").get("MemFree", free) for one in samples]
    name = path.removeprefix(FOLDER)
    pairs = intervals(samples, path + NUMASTAT)
    foreign, miss = (per_second(pairs, Rate((counter,))) for counter in ("numa_foreign", "numa_miss"))
    return Node(
        name=name,
        total_bytes=total,
        free_bytes=free,
        free_percent=100.0 * free / total,
        least_percent=100.0 * min(seen) / total,
        high_bytes=_high(name, readings),
        foreign_per_second=None if isinstance(foreign, Unavailable) else foreign,
        miss_per_second=None if isinstance(miss, Unavailable) else miss,
    )


def _sizes(text: str) -> dict[str, int]:
    return {key: int(value) * numbers.KIB for key, value in _SIZE.findall(text)}


def _high(name: str, readings: Readings) -> int | None:
    buddy = readings.get("buddy")
    zones = buddy.zones if isinstance(buddy, BuddyReading) else []
    known = [zone.high_bytes for zone in zones if str(zone.node) == name and zone.high_bytes is not None]
    return numbers.fits(sum(known)) if known else None


def _lopsided(nodes: list[Node]) -> str:
    """The fullest and the roomiest node in words, where one is full and one is not."""
    roomiest = max(nodes, key=lambda node: node.free_percent)
    full = [node for node in nodes if _is_full(node)]
    if not full or roomiest.free_percent <= ROOMY_PERCENT:
        return ""
    fullest = min(full, key=lambda node: node.least_percent)
    beside = f"beside node {roomiest.name} with {roomiest.free_percent:.0f} %"
    return f"node {fullest.name} with {fullest.least_percent:.1f} % free {beside}"


def _is_full(node: Node) -> bool:
    """Reclaim stops at the high watermark: a node that is kept near it by reclaim is full."""
    near_high = NEAR_HIGH * 100.0 * (node.high_bytes or 0) / node.total_bytes
    return node.least_percent < max(FULL_PERCENT, near_high)


def _imbalanced(nodes: list[Node]) -> bool | None:
    """None where a figure that would decide it is missing."""
    if not any(node.free_percent > ROOMY_PERCENT for node in nodes):
        return False
    tight = [_turns_away(node) for node in nodes if node.free_percent <= ROOMY_PERCENT]
    if True in tight:
        return True
    return None if None in tight else False


def _turns_away(node: Node) -> bool | None:
    if node.high_bytes is None:
        return None
    if node.free_bytes >= node.high_bytes:
        return False
    return None if node.foreign_per_second is None else node.foreign_per_second > 0


FACT = Fact(
    reading=NumaReading,
    parse=parse,
    asks=(Read(f"{FOLDER}*{MEMINFO}", lines=3, each=True), Read(f"{FOLDER}*{NUMASTAT}", each=True)),
    needs=("buddy",),
    meaning="NUMA nodes and their free memory",
)
