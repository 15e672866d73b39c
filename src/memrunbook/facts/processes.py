"""Processes by memory of their own and swap, with the unit and container that each belongs to, and who faults.

Who is asked what stands in shared/process_walk.py: a short read of every process, details of those that matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, NamedTuple

from msgspec import Struct, field, structs

from memrunbook.core.reading.fact import Detail, Doc, Fact, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.process_walk import AGAIN, ITEMS, LISTED, PROGRAM, SCRIPT
from memrunbook.facts.shared.sampling import LEAST_SECONDS, ONE_SAMPLE
from memrunbook.linux.attribution import groups_of, owner_of

TICKS_PER_SECOND = 100
"""USER_HZ, the unit of times in /proc: 100 on every architecture that we know."""

STAT_FIELDS = (1, 7, 9, 17, 19)
"""Fields 4, 10, 12, 20 and 22 of proc(5), counted from the state, the first behind the name."""

WALK, DETAIL = "processes", "process-details"
FAULTING_PER_SECOND = 10.0
FAULTING_SHOWN = 10
OLD_WALK = Unavailable("failed", "an older recording does not say which processes it left out")


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
    all: Annotated[list[Process], Doc("the largest processes, 400 at most", source="/proc/PID")]
    by_name: Annotated[list[Named], Doc("the same by name, the largest sum first", source="/proc/PID")] = field(
        default_factory=list
    )
    faulting: Annotated[
        list[Process] | None,
        Doc("of the largest those with 10 major faults a second and more, the fastest first", source="stat field 12"),
    ] = None


class Stat(NamedTuple):
    """What `stat` says of a process."""

    name: str
    parent: int
    minor_faults: int
    major_faults: int
    threads: int
    start: int


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Processes | Unavailable:
    """Reads what the newest whole walk printed; a process that went away while it was read is left out."""
    sample = next((one for one in reversed(samples) if _is_whole(one)), samples[0])
    answer = sample.get(WALK)
    if answer.problem is not None:
        return answer.problem
    head, *blocks = _blocks(answer.text)
    tail = (blocks or [head])[-1]
    seen = numbers.whole(tail.get("seen", ""))
    if seen is None:
        return Unavailable("failed", "processes: the list is cut short")
    details = sample.text(DETAIL) or ""
    page_bytes = (numbers.whole(head.get("page", "")) or 4) * numbers.KIB
    rows = (_process(block, page_bytes, sample.before) for block in [*blocks, *list(_blocks(details))[1:]])
    found = _with_rates([row for row in rows if row is not None], samples)
    found.sort(key=_own, reverse=True)
    least, hidden = _least(tail.get("least", ""), details), _hidden(readings.get("host"))
    least = 0 if least is None and len(found) >= seen else least
    faulting = _faulting(found)
    return Processes(
        seen=seen,
        shown=len(found),
        hidden=hidden,
        complete=least == 0 and not hidden,
        left_out=max(seen - len(found), 0) if least != 0 else 0,
        least_bytes=least,
        all=found,
        by_name=_by_name(found),
        faulting=faulting,
        unavailable={
            **({} if least is not None else {"least_bytes": OLD_WALK}),
            **({} if faulting is not None else {"faulting": ONE_SAMPLE}),
        },
    )


def _is_whole(sample: Sample) -> bool:
    """True for a sample of the whole walk: the details of later ones are still those of the first."""
    return "\nseen " in f"\n{sample.text(WALK)}"


def _least(said: str, details: str) -> int | None:
    """Two sizes in KiB: what is complete with the details of all that wait for them, and without."""
    with_details, _, without = said.partition(" ")
    listed = details.rstrip("\n").rpartition("\n")[2] == LISTED
    size = numbers.whole(with_details if listed else without)
    return None if size is None else numbers.fits(size * numbers.KIB)


def _own(process: Process) -> int:
    return process.anonymous_bytes + (process.swap_bytes or 0)


def _with_rates(found: list[Process], samples: Samples) -> list[Process]:
    """The same with their faults a second between the first sample and the last that know them."""
    seen: dict[tuple[int, int], list[tuple[float, Stat]]] = defaultdict(list)
    for sample in samples:
        details = sample.text(DETAIL) if _is_whole(sample) else ""
        for block in _blocks(f"{sample.text(WALK) or ''}\n{details or ''}"):
            pid, stat = numbers.whole(block.get("pid", "")), _stat(block.get("stat", ""))
            if pid is not None and stat is not None:
                seen[pid, stat.start].append((sample.before, stat))
    rates = {key: rate for key, points in seen.items() if (rate := _rate(points)) is not None}
    total = sum(major for major, _ in rates.values())
    return [
        structs.replace(
            one,
            major_faults_per_second=rate[0],
            minor_faults_per_second=rate[1],
            major_fault_share=rate[0] / total if total else 0.0,
        )
        if (rate := rates.get((one.pid, one.start_ticks)))
        else one
        for one in found
    ]


def _rate(points: list[tuple[float, Stat]]) -> tuple[float, float] | None:
    """Major and minor faults a second."""
    (began, first), (ended, last) = points[0], points[-1]
    if ended - began < LEAST_SECONDS:
        return None
    steps = (last.major_faults - first.major_faults, last.minor_faults - first.minor_faults)
    return (steps[0] / (ended - began), steps[1] / (ended - began)) if min(steps) >= 0 else None


def _faulting(found: list[Process]) -> list[Process] | None:
    """None where no process has a rate."""
    known = [(one.major_faults_per_second, one) for one in found if one.major_faults_per_second is not None]
    if not known:
        return None
    fast = [(rate, one) for rate, one in known if rate >= FAULTING_PER_SECOND]
    return [one for _, one in sorted(fast, key=lambda pair: pair[0], reverse=True)[:FAULTING_SHOWN]]


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


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The lines of each process by their first word: every line has one of ours, so no name can forge another's."""
    block: dict[str, str] = {}
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "pid":
            yield block
            block = {"pid": rest}
        else:
            block[word] = f"{block[word]}\n{rest}" if word in block else rest
    yield block


def _process(block: dict[str, str], page_bytes: int, uptime: float) -> Process | None:
    pid = numbers.whole(block.get("pid", ""))
    stat = _stat(block.get("stat", ""))
    sizes = numbers.lines_by_key(block.get("status", ""))
    rss = sizes.get("VmRSS")
    if pid is None or stat is None or rss is None:
        return None
    groups = groups_of(block.get("cgroup", ""))
    owner = owner_of(groups.unit)
    return Process(
        pid=pid,
        name=stat.name,
        parent=stat.parent,
        uid=_uid(block["status"]),
        threads=stat.threads,
        rss_bytes=rss,
        anonymous_bytes=sizes.get("RssAnon", _anonymous(block.get("statm", ""), page_bytes, rss)),
        file_bytes=sizes.get("RssFile"),
        shared_bytes=sizes.get("RssShmem"),
        swap_bytes=sizes.get("VmSwap"),
        oom_score=_signed(block.get("score", "")),
        oom_score_adj=_signed(block.get("adjustment", "")),
        start_ticks=stat.start,
        age_seconds=max(0.0, uptime - stat.start / TICKS_PER_SECOND),
        cgroup=groups.memory,
        unit=owner.unit,
        container=owner.container or (owner if groups.memory == groups.unit else owner_of(groups.memory)).container,
    )


def _stat(text: str) -> Stat | None:
    """A name may hold anything, so what counts is behind the last parenthesis."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    if len(fields) <= max(STAT_FIELDS):
        return None
    found = [value for place in STAT_FIELDS if (value := numbers.whole(fields[place])) is not None]
    return Stat(before.partition("(")[2], *found) if len(found) == len(STAT_FIELDS) else None


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
    parse=parse,
    asks=(Walk(WALK, SCRIPT, each=True, again=AGAIN), Detail(DETAIL, ITEMS, PROGRAM)),
    needs=("host",),
    meaning="processes, the largest first, whom they belong to and who faults",
)
