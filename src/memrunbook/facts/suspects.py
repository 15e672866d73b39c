"""What is asked of a few processes only: the largest, and who may be near the limit of mappings.

`maps` and `smaps_rollup` take a lock of the process and walk its page tables: nobody is asked on a host that stalls,
and nobody where no process gives a reason.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Command, Cut, Doc, Fact, Question, Read, Reading, Sample, Samples, Unavailable
from memrunbook.core.units import GIB, Unit
from memrunbook.facts.pressure import PressureReading
from memrunbook.facts.processes import Process, Processes
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings

MAPS = "maps"
SHOWN, COUNTED = 5, 40
LARGE_BYTES, LARGE_PERCENT = GIB, 10.0
MEASURED_BYTES = 16 * GIB
"""smaps_rollup takes tens of milliseconds a GiB: larger processes are not held up for that long."""
STALLED_PERCENT, STALLS_PER_SECOND = 20.0, 1.0
NEAR_PERCENT, USUAL_MAPPINGS = 50.0, 100
"""Somebody has many mappings where all together have this share of one's limit beyond what is usual for each."""
START = 19
"""Field 22 of proc(5), counted from the state, the first behind the name."""
SOURCE = "/proc/PID/smaps_rollup"


class SuspectUnit(Struct, frozen=True, kw_only=True):
    """One process; what it does not tell this user is None, its memory also above 16 GiB."""

    pid: Annotated[int, Doc("process id", source="/proc/PID")]
    name: Annotated[str, Doc("the kernel's name for it, chosen by its owner", source="stat field 2")]
    unit: Annotated[str, Doc("unit of this host's systemd, empty for none", source="/proc/PID/cgroup")] = ""
    container: Annotated[str, Doc("runtime:id of its container or guest", source="/proc/PID/cgroup")] = ""
    start_ticks: Annotated[int, Doc("start in ticks since boot: with the pid, its identity", source="stat field 22")]
    maps: Annotated[int | None, Doc("memory mappings", Unit.COUNT, "lines of /proc/PID/maps")] = None
    maps_percent: Annotated[float | None, Doc("of those allowed", Unit.PERCENT, "maps / vm.max_map_count")] = None
    pss_bytes: Annotated[int | None, Doc("resident memory, shared pages by part", Unit.BYTES, f"{SOURCE} Pss")] = None
    uss_bytes: Annotated[
        int | None, Doc("resident memory that only it uses", Unit.BYTES, f"{SOURCE} Private_Clean + Private_Dirty")
    ] = None
    pss_anonymous_bytes: Annotated[
        int | None, Doc("anonymous memory, shared pages by part", Unit.BYTES, f"{SOURCE} Pss_Anon (5.0)")
    ] = None
    swap_pss_bytes: Annotated[
        int | None, Doc("memory in swap, shared pages by part", Unit.BYTES, f"{SOURCE} SwapPss")
    ] = None


class Suspects(Reading, frozen=True, kw_only=True):
    """Processes of 1 GiB or 10 % of RAM, and those with half of the mappings that one may have."""

    all: Annotated[
        list[SuspectUnit], Doc("at most five: those with many mappings, then the largest", source="/proc/PID")
    ]


def follow(readings: Readings) -> tuple[Question, ...]:
    """Asks for identity, mappings and memory of those who give a reason."""
    large, counted = _chosen(readings)
    if not counted:
        return ()
    stats = [Read(f"/proc/{one.pid}/stat") for one in counted]
    rollups = [Read(f"/proc/{one.pid}/smaps_rollup") for one in large if one.rss_bytes <= MEASURED_BYTES]
    return (*stats, *rollups, Command(MAPS, ("wc", "-l", *(f"/proc/{one.pid}/maps" for one in counted))))


def parse(samples: Samples, readings: Readings) -> Suspects | Unavailable:
    """Reads what was asked of processes that are still the same; one that went away is left out."""
    problem = _unasked(readings)
    if problem is not None:
        return problem
    large, counted = _chosen(readings)
    answers = samples[-1]
    problems = [answers.get(f"/proc/{one.pid}/stat").problem for one in counted]
    unread = [why for why in problems if why is not None and why.reason != "absent"]
    if unread and len(unread) == len(counted):
        return unread[0]
    limit = _number(readings, "sysctl", "vm.max_map_count")
    same = [_suspect(one, answers, limit) for one in counted if _start(answers, one.pid) == one.start_ticks]
    many = [one for one in same if (one.maps_percent or 0.0) >= NEAR_PERCENT]
    pids = {one.pid for one in large}
    found = sorted(many, key=lambda one: one.maps or 0, reverse=True)
    found += [one for one in same if one.pid in pids and one not in many]
    cut = _cut(readings, found, [one.maps for one in same], limit)
    return Suspects(all=found[:SHOWN], cut={} if cut is None else {"all": cut})


def _cut(readings: Readings, found: list[SuspectUnit], counted: list[int | None], limit: float | None) -> Cut | None:
    """What was left out: beyond five, and where mappings are counted, of all but the forty largest processes.

    Nobody who was not counted has more mappings than all of them together.
    """
    seen, mappings = _number(readings, "processes", "seen") or 0.0, _number(readings, "slab", "mappings")
    rest = max((one.maps or 0 for one in found[SHOWN:]), default=0)
    uncounted = 0.0
    if len(counted) >= COUNTED and seen > len(counted):
        uncounted = (mappings or 0.0) - sum(maps or 0 for maps in counted)
    if not uncounted and len(found) <= SHOWN:
        return None
    maps = max(float(rest), uncounted, 0.0) + 1
    why = f"mappings were counted of the {COUNTED} largest processes only" if uncounted else "only five are shown"
    return Cut(why, {"maps": maps} | ({"maps_percent": 100.0 * maps / limit} if limit else {}))


def _unasked(readings: Readings) -> Unavailable | None:
    """Why nobody is asked."""
    processes = readings.get("processes", Unavailable("failed", "processes were not read"))
    if isinstance(processes, Unavailable):
        return processes
    if getattr(readings.get("host"), "root", None) is not True:
        return Unavailable("denied", "maps and smaps_rollup of other users' processes need root")
    pressure = readings.get("pressure")
    full = pressure.full if isinstance(pressure, PressureReading) else None
    percent = None if full is None else full.avg10 if full.percent is None else full.percent
    stalls = _number(readings, "vmstat", "allocstalls_per_second")
    if percent is None and stalls is None:
        return Unavailable(
            "failed", "whether the host stalls is unknown, and looking into its processes may hold them up"
        )
    stalled = (stalls or 0.0) >= STALLS_PER_SECOND if percent is None else percent >= STALLED_PERCENT
    return (
        Unavailable("failed", "the host stalls, and looking into its processes would hold them up further")
        if stalled
        else None
    )


def _chosen(readings: Readings) -> tuple[list[Process], list[Process]]:
    """The largest processes, and those whose mappings are counted."""
    processes = readings.get("processes")
    if not isinstance(processes, Processes) or _unasked(readings) is not None:
        return [], []
    ram, limit = _number(readings, "memory", "total_bytes"), _number(readings, "sysctl", "vm.max_map_count")
    least = min(LARGE_BYTES, (ram or LARGE_BYTES) * LARGE_PERCENT / 100)
    large = [one for one in processes.all if one.anonymous_bytes + (one.swap_bytes or 0) >= least][:SHOWN]
    mappings = _number(readings, "slab", "mappings")
    beyond = (mappings or 0) - processes.seen * USUAL_MAPPINGS
    many = limit is not None and 100.0 * beyond >= NEAR_PERCENT * limit
    return large, processes.all[:COUNTED] if many else large


def _number(readings: Readings, fact: str, path: str) -> float | None:
    value: object = readings.get(fact)
    for part in path.split("."):
        value = getattr(value, part, None)
    return value if isinstance(value, int | float) else None


def _start(answers: Sample, pid: int) -> int | None:
    """When the process that now has this pid was started; a name may hold anything but ends at the last parenthesis."""
    fields = (answers.text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return numbers.whole(fields[START]) if len(fields) > START else None


def _suspect(process: Process, answers: Sample, limit: float | None) -> SuspectUnit:
    sizes = numbers.lines_by_key(answers.text(f"/proc/{process.pid}/smaps_rollup") or "")
    own = [sizes.get("Private_Clean"), sizes.get("Private_Dirty")]
    line = re.search(rf"^\s*(\d{{1,9}}) /proc/{process.pid}/maps$", answers.text(MAPS) or "", re.MULTILINE | re.ASCII)
    maps = int(line[1]) or None if line else None
    return SuspectUnit(
        pid=process.pid,
        name=process.name,
        unit=process.unit,
        container=process.container,
        start_ticks=process.start_ticks,
        maps=maps,
        maps_percent=100.0 * maps / limit if maps and limit else None,
        pss_bytes=sizes.get("Pss"),
        uss_bytes=None if None in own else min(sum(size or 0 for size in own), numbers.MOST),
        pss_anonymous_bytes=sizes.get("Pss_Anon"),
        swap_pss_bytes=sizes.get("SwapPss"),
    )


FACT = Fact(
    reading=Suspects,
    parse=parse,
    asks=(),
    needs=("host", "memory", "pressure", "processes", "slab", "sysctl", "vmstat"),
    meaning="mappings and exact memory of a few processes",
    follow=follow,
)
