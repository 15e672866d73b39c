"""Processes by memory of their own and swap, with the unit and container that each belongs to, and who faults.

Who is asked what stands in shared/process_walk.py: a short read of every process, details of those that matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, NamedTuple

from msgspec import Struct, field

from memrunbook.core.reading.fact import Cut, Detail, Doc, Fact, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.leaking import Leaks, leaking_processes
from memrunbook.facts.shared.process_told import (
    DETAIL,
    REMEMBERED,
    WALK,
    ProcessLines,
    Rates,
    blocks_of,
    is_whole,
    rates_of,
    told_of,
)
from memrunbook.facts.shared.process_walk import AGAIN, ITEMS, MOST_LISTED, PROGRAM, SCRIPT
from memrunbook.facts.shared.sampling import ONE_SAMPLE
from memrunbook.facts.shared.unlisted import SIZES, Unlisted, extent_of
from memrunbook.linux.attribution import groups_of, owner_of

TICKS_PER_SECOND = 100
"""USER_HZ, the unit of times in /proc: 100 on every architecture that we know."""

FAULTING_PER_SECOND = 10.0
FAULTING_SHOWN = 10
OLD_WALK = Unavailable("failed", "an older recording does not say which processes it left out")

USUAL_STATUS = re.compile(
    r"Uid:\t(\d{1,15})\t.*"
    + "".join(rf"\n{name}:[ \t]+(\d{{1,15}}) kB" for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmSwap")),
    re.ASCII,
)
"""The lines that a kernel since 4.5 has of a process with memory: read at once, since they come by the hundred."""


class Status(NamedTuple):
    """What `status` says of a process; sizes in bytes."""

    uid: int | None
    rss: int | None
    anonymous: int | None
    file: int | None
    shared: int | None
    swap: int | None


class Process(Struct, frozen=True, kw_only=True):
    """One process, known by pid and start; what this kernel does not tell is None."""

    pid: Annotated[int, Doc("process id", source="/proc/PID")]
    name: Annotated[str, Doc("the kernel's name for it, at most 15 bytes, chosen by its owner", source="stat field 2")]
    parent: Annotated[int, Doc("pid of the parent", source="stat field 4")]
    uid: Annotated[int | None, Doc("real user id", source="status Uid")] = None
    threads: Annotated[int, Doc("threads", Unit.COUNT, "stat field 20")]
    rss_bytes: Annotated[int, Doc("resident memory, shared pages counted fully", Unit.BYTES, "status VmRSS")]
    anonymous_bytes: Annotated[int, Doc("resident anonymous memory", Unit.BYTES, "status RssAnon")]
    file_bytes: Annotated[int | None, Doc("resident file pages", Unit.BYTES, "status RssFile (4.5)")] = None
    shared_bytes: Annotated[int | None, Doc("resident shared memory", Unit.BYTES, "status RssShmem (4.5)")] = None
    swap_bytes: Annotated[int | None, Doc("anonymous memory in swap", Unit.BYTES, "status VmSwap")] = None
    oom_score: Annotated[int | None, Doc("badness for the OOM killer, to compare only", source="oom_score")] = None
    oom_score_adj: Annotated[int | None, Doc("-1000 (never killed) to 1000", source="oom_score_adj")] = None
    start_ticks: Annotated[int, Doc("start in ticks since boot: with the pid, its identity", source="stat field 22")]
    age_seconds: Annotated[float, Doc("since its start", Unit.SECONDS, "stat field 22, /proc/uptime")]
    major_faults_per_second: Annotated[
        float | None, Doc("faults that had to read a disk, over our samples", Unit.PER_SECOND, "stat field 12")
    ] = None
    minor_faults_per_second: Annotated[
        float | None, Doc("faults that had not, over our samples", Unit.PER_SECOND, "stat field 10")
    ] = None
    major_fault_share: Annotated[
        float | None, Doc("its part of the major faults of all that were looked at", Unit.RATIO, "stat field 12")
    ] = None
    cgroup: Annotated[str, Doc("control group that its memory counts in", source="/proc/PID/cgroup")] = ""
    unit: Annotated[str, Doc("unit of this host's systemd, empty for none", source="/proc/PID/cgroup")] = ""
    container: Annotated[str, Doc("runtime:id of its container or guest", source="/proc/PID/cgroup")] = ""


class Named(Struct, frozen=True, kw_only=True):
    """All processes of one name, as far as they are listed: what many small ones hold together."""

    name: Annotated[str, Doc("the kernel's name for them", source="stat field 2")]
    count: Annotated[int, Doc("how many", Unit.COUNT, "/proc")]
    own_bytes: Annotated[
        int, Doc("their anonymous memory and swap; pages that forks still share count in each", Unit.BYTES, "status")
    ]
    anonymous_bytes: Annotated[int, Doc("their resident anonymous memory", Unit.BYTES, "status RssAnon")]
    swap_bytes: Annotated[int, Doc("their memory in swap", Unit.BYTES, "status VmSwap")]
    shared_bytes: Annotated[
        int, Doc("shared memory of the one with most: they mostly share the same", Unit.BYTES, "status RssShmem (4.5)")
    ]


class Processes(Reading, frozen=True, kw_only=True):
    """Processes by anonymous memory and swap, largest first: all of them, or from `least_bytes` on."""

    seen: Annotated[int, Doc("processes that this user can see, kernel threads apart", Unit.COUNT, "/proc")]
    shown: Annotated[int, Doc("processes read in detail", Unit.COUNT, "/proc")]
    hidden: Annotated[bool | None, Doc("others' processes are hidden from this user", source="/proc/mounts")] = None
    complete: Annotated[bool, Doc("the list holds every process of this host", source="/proc")] = False
    left_out: Annotated[int, Doc("processes seen that are not in the list", Unit.COUNT, "/proc")] = 0
    least_bytes: Annotated[
        int | None,
        Doc("every process that holds as much is in the list; 0 where none was left out", Unit.BYTES, "statm, status"),
    ] = None
    all: Annotated[
        list[Process], Doc(f"the largest processes, {MOST_LISTED} at most: others are unknown", source="/proc/PID")
    ]
    by_name: Annotated[list[Named], Doc("the same by name, the largest sum first", source="/proc/PID")] = field(
        default_factory=list
    )
    leaking: Leaks = None
    faulting: Annotated[
        list[Process] | None,
        Doc("of the largest those with 10 major faults a second and more, the fastest first", source="stat field 12"),
    ] = None


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Processes | Unavailable:
    """Reads what the newest whole walk printed; a process that went away while it was read is left out."""
    sample = next((one for one in reversed(samples) if is_whole(one)), samples[0])
    answer = sample.get(WALK)
    if answer.problem is not None:
        return answer.problem
    head, *blocks = blocks_of(answer.text)
    details = sample.text(DETAIL) or ""
    told = {one.key: one for one in map(told_of, [*blocks, *blocks_of(details)]) if one}
    page_bytes = (numbers.whole(head.get("page", "")) or 4) * numbers.KIB
    rates = rates_of(samples, sample, told)
    rows = (_process(one, page_bytes, sample.before, rates.get(one.key)) for one in told.values())
    found = sorted((row for row in rows if row is not None), key=_own, reverse=True)
    tail, hidden = (blocks or [head])[-1], _hidden(readings.get("host"))
    extent = extent_of(head, tail, details, {one.pid for one in found}, hidden=hidden)
    if extent is None:
        return Unavailable("failed", "processes: the list is cut short")
    faulting = _faulting(found)
    return Processes(
        seen=extent.seen,
        shown=len(found),
        hidden=hidden,
        complete=extent.complete,
        left_out=extent.left,
        least_bytes=extent.least,
        all=found,
        by_name=_by_name(found),
        faulting=faulting,
        unavailable={
            **({} if extent.least is not None else {"least_bytes": OLD_WALK}),
            **({} if faulting is not None else {"faulting": ONE_SAMPLE}),
        },
        cut=_cuts(found, extent),
    )


def _cuts(found: list[Process], extent: Unlisted) -> dict[str, Cut]:
    """What each list leaves out. Of a name a part may be seen: only what is no sum has a bound there."""
    cut, faults = extent.cut, _cut_faulting(found, extent)
    cuts = {} if faults is None else {"faulting": faults}
    if cut is None:
        return cuts
    shared = {name: most for name, most in cut.below.items() if name == "shared_bytes"}
    return {"all": cut, "by_name": Cut(cut.why, shared), **cuts}


def _cut_faulting(found: list[Process], extent: Unlisted) -> Cut | None:
    """Who was not looked at twice may fault as well; nobody of these holds more than the largest of them."""
    unseen = [one for one in found if one.major_faults_per_second is None]
    count, whole = len(unseen) + extent.left, extent.cut
    if len(_fast(found)) > FAULTING_SHOWN:
        return Cut(f"more than {FAULTING_SHOWN} processes fault: the fastest are in the list")
    if not count and whole is None:
        return None
    bounds = dict.fromkeys(SIZES, 0.0) if whole is None else whole.below
    below = {
        name: max([bounds[name], *(float(getattr(one, name) or 0) + 1 for one in unseen)])
        for name in SIZES
        if name in bounds
    }
    return Cut(f"how fast {count} of the smaller processes fault is not known: they were looked at once only", below)


def _own(process: Process) -> int:
    return process.anonymous_bytes + (process.swap_bytes or 0)


def _faulting(found: list[Process]) -> list[Process] | None:
    """None where no process has a rate."""
    if all(one.major_faults_per_second is None for one in found):
        return None
    return sorted(_fast(found), key=_rate, reverse=True)[:FAULTING_SHOWN]


def _fast(found: list[Process]) -> list[Process]:
    return [one for one in found if _rate(one) >= FAULTING_PER_SECOND]


def _rate(process: Process) -> float:
    return process.major_faults_per_second or 0.0


def _by_name(found: Iterable[Process]) -> list[Named]:
    groups: dict[str, list[Process]] = defaultdict(list)
    for one in found:
        groups[one.name].append(one)
    sums = [
        Named(
            name=name,
            count=len(same),
            own_bytes=min(sum(map(_own, same)), numbers.MOST),
            anonymous_bytes=min(sum(one.anonymous_bytes for one in same), numbers.MOST),
            swap_bytes=min(sum(one.swap_bytes or 0 for one in same), numbers.MOST),
            shared_bytes=max(one.shared_bytes or 0 for one in same),
        )
        for name, same in groups.items()
    ]
    return sorted(sums, key=lambda one: one.own_bytes, reverse=True)


def _process(told: ProcessLines, page_bytes: int, uptime: float, rates: Rates | None) -> Process | None:
    stat, block = told.stat, told.block
    status = _status(block.get("status", ""))
    if status.rss is None:
        return None
    group, unit, container = _belongs(block.get("cgroup", ""))
    major, minor, share = rates or (None, None, None)
    return Process(
        pid=told.key[0],
        name=stat.name,
        parent=stat.parent,
        uid=status.uid,
        threads=stat.threads,
        rss_bytes=status.rss,
        anonymous_bytes=_anonymous(block.get("statm", ""), page_bytes, status.rss)
        if status.anonymous is None
        else status.anonymous,
        file_bytes=status.file,
        shared_bytes=status.shared,
        swap_bytes=status.swap,
        oom_score=_signed(block.get("score", "")),
        oom_score_adj=_signed(block.get("adjustment", "")),
        start_ticks=stat.start,
        age_seconds=max(0.0, uptime - stat.start / TICKS_PER_SECOND),
        major_faults_per_second=major,
        minor_faults_per_second=minor,
        major_fault_share=share,
        cgroup=group,
        unit=unit,
        container=container,
    )


def _status(text: str) -> Status:
    if (found := USUAL_STATUS.fullmatch(text)) is not None:
        uid, rss, anonymous, file, shared, swap = map(int, found.groups())
        kib = numbers.KIB
        return Status(uid, rss * kib, anonymous * kib, file * kib, shared * kib, swap * kib)
    sizes = numbers.lines_by_key(text)
    return Status(_uid(text), *map(sizes.get, ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmSwap")))


@lru_cache(maxsize=1024)
def _belongs(text: str) -> tuple[str, str, str]:
    """The control group that counts, the unit and the container: many processes have the same."""
    groups = groups_of(text)
    owner = owner_of(groups.unit)
    memory = owner if groups.memory == groups.unit else owner_of(groups.memory)
    return groups.memory, owner.unit, owner.container or memory.container


def _anonymous(statm: str, page_bytes: int, rss: int) -> int:
    """Before 4.5: resident pages less shared ones (fields 2 and 3)."""
    match [numbers.whole(word) for word in statm.split(" ")[:3]]:
        case [int(), int(resident), int(shared)]:
            return min(max(0, resident - shared) * page_bytes, numbers.MOST)
    return rss


def _uid(status: str) -> int | None:
    line = next((line for line in status.split("\n") if line.startswith("Uid:")), "")
    return numbers.whole(line.removeprefix("Uid:").strip().partition("\t")[0])


def _signed(text: str) -> int | None:
    return int(text) if numbers.is_whole(text.removeprefix("-")) else None


def _hidden(host: Reading | Unavailable | None) -> bool | None:
    hides, root = getattr(host, "hidepid", None), getattr(host, "root", None)
    return None if hides is None or root is None else bool(hides and not root)


FACT = Fact(
    reading=Processes,
    recall=leaking_processes,
    parse=parse,
    asks=(Walk(WALK, SCRIPT, each=True, again=AGAIN), Detail(DETAIL, ITEMS, PROGRAM)),
    needs=("host",),
    meaning="processes, the largest first, whom they belong to and who faults",
    history=(REMEMBERED,),
)
