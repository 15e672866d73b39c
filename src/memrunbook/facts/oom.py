"""Out-of-memory events of this boot: who died, why, whose it was, and whether that service is back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from memrunbook.core.reading.fact import Command, Doc, Fact, Reading, Samples, Unavailable
from memrunbook.core.units import KIB, Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.kills import kills_by_unit
from memrunbook.facts.shared.log_cut import is_lost, lost_age, lost_events
from memrunbook.facts.shared.victims import UNKNOWN_AGE, VictimUnit, victims
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.account import OomAccount
from memrunbook.linux.oomlog.category import MANUAL, NOBODY, PAGE_FAULT, category, judged
from memrunbook.linux.oomlog.event import Failure, KernelLog, LogEvent, LogNote, Task
from memrunbook.linux.oomlog.failing import explains
from memrunbook.linux.oomlog.reader import read_text
from memrunbook.linux.oomlog.telling import account

LOG = "dmesg"
NEWEST_LINES = 4000
"""The ring may hold megabytes; a report of an OOM kill takes hundreds of lines."""
DAY = 86400.0
TELLING_SECONDS = 1.0
"""How long the kernel may take to print an event; on a slow console more, which costs a reading without its end."""
FIRST_WITH_REFUSALS = (6, 1)
SILENT = Unavailable("absent", "this kernel writes no line where overcommit refuses a request (Linux 6.1 and later do)")
NAME_LENGTH = 64


class OomEvent(Struct, frozen=True, kw_only=True):
    """One event; what the log does not tell is None, or empty where it is text."""

    age_seconds: Annotated[float | None, Doc("since the kill", Unit.SECONDS, "dmesg, /proc/uptime")] = None
    stamp_seconds: Annotated[float | None, Doc("uptime at the kill", Unit.SECONDS, "dmesg")] = None
    class_: Annotated[
        str, Doc("global memcg cpuset mempolicy manual userspace high-order page-fault panic no-victim", source="dmesg")
    ] = msgspec.field(name="class")
    constraint: Annotated[str, Doc("the kernel's word for it, or what was inferred", source="dmesg")] = ""
    trigger: Annotated[str, Doc("who asked for memory; not the victim", source="dmesg")] = ""
    order: Annotated[int | None, Doc("2^order pages were asked for; -1: by SysRq", source="dmesg")] = None
    victim: Annotated[str, Doc("name of the killed process", source="dmesg")] = ""
    victim_pid: Annotated[int | None, Doc("pid of the killed process", source="dmesg")] = None
    victim_bytes: Annotated[int | None, Doc("memory it held", Unit.BYTES, "anon-rss + file-rss + shmem-rss")] = None
    unit: Annotated[
        str, Doc("unit of the victim's control group; where nobody died, of whose limit it was", source="task_memcg")
    ] = ""
    task_memcg: Annotated[str, Doc("control group of the victim", source="dmesg")] = ""
    oom_memcg: Annotated[str, Doc("control group whose limit was hit", source="dmesg")] = ""
    limit_bytes: Annotated[int | None, Doc("that limit", Unit.BYTES, "dmesg")] = None
    largest: Annotated[str, Doc("largest process of the table, memory and swap", source="dmesg")] = ""
    largest_bytes: Annotated[int | None, Doc("memory and swap of it", Unit.BYTES, "dmesg")] = None
    victim_is_largest: Annotated[bool | None, Doc("the victim was the largest", source="dmesg")] = None
    task_memory_percent: Annotated[
        float | None, Doc("memory of all processes at the kill, of RAM", Unit.PERCENT, "dmesg")
    ] = None
    killer: Annotated[
        str, Doc("kernel lowmemorykiller systemd-oomd earlyoom nohang oomd lmkd talos kubelet", source="dmesg")
    ] = "kernel"
    score_adj: Annotated[int | None, Doc("oom_score_adj of the victim", source="dmesg")] = None
    victim_score: Annotated[int | None, Doc("score of whom the kernel chose, before 5.1", source="dmesg")] = None
    reaped: Annotated[bool, Doc("the victim's memory was taken back", source="oom_reaper")] = False
    hog: Annotated[str, Doc("largest process where the victim is another", source="dmesg")] = ""
    hog_bytes: Annotated[int | None, Doc("memory and swap of it", Unit.BYTES, "dmesg")] = None
    hog_protected: Annotated[bool, Doc("its oom_score_adj is below 0", source="dmesg")] = False
    next_victim: Annotated[str, Doc("who would be killed next", source="dmesg")] = ""
    shmem_bytes: Annotated[int | None, Doc("shared memory and tmpfs at the kill", Unit.BYTES, "Mem-Info")] = None
    slab_bytes: Annotated[int | None, Doc("kernel objects at the kill", Unit.BYTES, "Mem-Info")] = None
    hugetlb_bytes: Annotated[int | None, Doc("huge pages at the kill", Unit.BYTES, "Mem-Info")] = None
    hidden_bytes: Annotated[
        int | None, Doc("memory in no process and no page cache, at least", Unit.BYTES, "Mem-Info")
    ] = None
    hidden_in: Annotated[str, Doc("what holds most of it, where processes hold little of RAM", source="Mem-Info")] = ""
    handled: Annotated[bool, Doc("an earlier run dealt with it", source="ledger")] = False
    complete: Annotated[bool, Doc("the log holds the cause and the victim", source="dmesg")] = False


class CacheDrop(Struct, frozen=True, kw_only=True):
    """Somebody dropped caches by hand."""

    name: Annotated[str, Doc("who", source="drop_caches")]
    pid: Annotated[int | None, Doc("pid", source="drop_caches")]
    value: Annotated[int | None, Doc("what was written: 1 page cache, 2 slab, 3 both", source="drop_caches")]
    age_seconds: Annotated[float | None, Doc("since then", Unit.SECONDS, "dmesg, /proc/uptime")] = None


class AllocationFailure(Struct, frozen=True, kw_only=True):
    """An allocation that the kernel could not serve."""

    age_seconds: Annotated[float | None, Doc("since it failed", Unit.SECONDS, "dmesg, /proc/uptime")] = None
    order: Annotated[int, Doc("2^order pages were asked for", source="dmesg")]
    name: Annotated[str, Doc("who asked", source="dmesg")]
    atomic: Annotated[bool, Doc("it could not wait", source="GFP_ATOMIC")]
    fallout: Annotated[bool, Doc("the kernel had just killed who asked: not an incident of its own", source="dmesg")]
    short: Annotated[str, Doc("what the zones say: short fragmented not-short unknown", source="Mem-Info")] = "unknown"
    handled: Annotated[bool, Doc("an earlier run dealt with it", source="ledger")] = False


class Oom(Reading, frozen=True, kw_only=True):
    """What the kernel's log says of this boot; newest last. The log is a ring: old lines are lost."""

    events: Annotated[list[OomEvent], Doc("out-of-memory events", source="dmesg")]
    last_age_seconds: Annotated[float | None, Doc("age of the newest event", Unit.SECONDS, "dmesg")] = None
    last_class: Annotated[str | None, Doc("class of the newest event", source="dmesg")] = None
    count_24h: Annotated[int, Doc("events of the last 24 hours, those by hand apart", Unit.COUNT, "dmesg")]
    repeated_units: Annotated[list[str], Doc("units met twice or more in 24 hours", source="dmesg")]
    victim_units: Annotated[
        list[VictimUnit] | None,
        Doc("services that lost a process, or ended by it; who was met least and held least first", source="dmesg"),
    ] = None
    log_lost: Annotated[
        bool | None, Doc("the kernel counted kills that its log no longer shows", source="/proc/vmstat oom_kill")
    ] = None
    lost_age_seconds: Annotated[
        float | None,
        Doc("since these kills, at least; 0 where the log has no times, 1e9 for none", Unit.SECONDS, "dmesg"),
    ] = None
    newest: Annotated[
        tuple[OomAccount, ...],
        Doc("the newest event in full, those by hand apart: none or one", source="dmesg", kept=True),
    ] = ()
    failures: Annotated[list[AllocationFailure], Doc("failed allocations", source="dmesg")]
    cache_drops: Annotated[list[CacheDrop], Doc("caches that were dropped by hand", source="drop_caches")]
    overcommit_refusals: Annotated[int, Doc("requests that overcommit refused", Unit.COUNT, "__vm_enough_memory")]
    logs_refusals: Annotated[
        bool | None, Doc("the kernel logs what overcommit refuses (6.1; seen in the log of others)", source="osrelease")
    ] = None
    refusal_age_seconds: Annotated[
        float | None,
        Doc("since the newest of them; 1e9 for none, unknown where they are not logged", Unit.SECONDS, "dmesg"),
    ] = None


def parse(samples: Samples, readings: Mapping[str, Reading | Unavailable]) -> Oom | Unavailable:
    """Reads the kernel's log of the first sample and joins it with the services."""
    answer = samples[0].get(LOG)
    problem = answer.problem or _refusal(answer.text)
    if problem is not None:
        return problem
    lines, uptime = answer.text.split("\n"), samples[0].before  # as for the ages of services
    log = _told(read_text(answer.text), uptime)
    lost = is_lost(log, readings.get("vmstat"))
    page_bytes = getattr(readings.get("host"), "page_size_bytes", None)
    events = [_event(event, uptime, page_bytes) for event in log.events]
    real = [event for event in events if event.class_ != MANUAL and _recent(event.age_seconds)]
    units = [event.unit for event in real if event.unit and event.class_ not in (PAGE_FAULT, NOBODY)]
    services = readings.get("units")
    missing = services if isinstance(services, Unavailable) else Unavailable("failed", "units: not read")
    known = getattr(services, "all", None)
    logged = _logs_refusals(log, getattr(readings.get("host"), "kernel", None))
    return Oom(
        events=events,
        last_age_seconds=events[-1].age_seconds if events else None,
        last_class=events[-1].class_ if events else None,
        count_24h=len(real),
        repeated_units=sorted({unit for unit in units if units.count(unit) > 1}),
        victim_units=None
        if known is None
        else victims(known, kills_by_unit(event for event in events if event.class_ not in (MANUAL, NOBODY))),
        log_lost=lost,
        lost_age_seconds=lost_age(lines, uptime, lost=lost),
        cut=lost_events(lines, uptime, lost=lost),
        failures=[_failure(one, log, uptime) for one in log.failures],
        cache_drops=[_drop(note, uptime) for note in log.notes if note.kind == "drop_caches"],
        overcommit_refusals=log.overcommit_refusals,
        logs_refusals=logged,
        refusal_age_seconds=_refusal_age(log, uptime, logged=logged),
        newest=_newest(log, uptime),
        unavailable=({"victim_units": missing} if known is None else {})
        | ({} if logged else {"refusal_age_seconds": SILENT}),
    )


def _told(log: KernelLog, uptime: float) -> KernelLog:
    """Without an event of which the kernel was still telling when its log was read, unless it is the only one."""
    *before, last = log.events or (None,)
    if not before or last is None or last.is_over or last.stamp is None or uptime - last.stamp > TELLING_SECONDS:
        return log
    return msgspec.structs.replace(log, events=tuple(before))


def _logs_refusals(log: KernelLog, kernel: str | None) -> bool | None:
    """A line is proof; without one the release tells: the line came with Linux 6.1 (mm/util.c)."""
    release = re.match(r"(\d{1,4})\.(\d{1,4})", kernel or "")
    if log.overcommit_refusals:
        return True
    return (int(release[1]), int(release[2])) >= FIRST_WITH_REFUSALS if release else None


def _refusal_age(log: KernelLog, uptime: float, *, logged: bool | None) -> float | None:
    """Of a line without a time it is not known how old it is: it may be new."""
    stamps = [note.stamp for note in log.notes if note.kind == "overcommit"]
    if stamps:
        return _age(stamps[-1], uptime) or 0.0
    return UNKNOWN_AGE if logged else None


def _newest(log: KernelLog, uptime: float) -> tuple[OomAccount, ...]:
    newest = next((event for event in reversed(log.events) if category(event) != MANUAL), None)
    return (account(newest, _age(newest.stamp, uptime)),) if newest else ()


def _refusal(text: str) -> Unavailable | None:
    """What dmesg says instead of the log; its message has no stamp and stands alone."""
    first = text.partition("\n")[0]
    if re.match(r"\S*dmesg: ", first) is None:
        return None
    denied = "not permitted" in first or "denied" in first
    return Unavailable("denied" if denied else "failed", first[:200])


def _event(event: LogEvent, uptime: float, page_bytes: int | None) -> OomEvent:
    victim, kill = event.victim, event.kills[0] if event.kills else None
    largest, owner = event.largest[0] if event.largest else None, explain.owner(event)
    event.page_kib = event.page_kib or (page_bytes // KIB if page_bytes else None)
    return OomEvent(
        age_seconds=_age(event.stamp, uptime),
        stamp_seconds=event.stamp,
        class_=category(event),
        constraint=event.constraint or "",
        trigger=(event.trigger or "")[:NAME_LENGTH],
        order=event.order,
        victim=victim.name[:NAME_LENGTH] if victim else "",
        victim_pid=numbers.fits(victim.pid) if victim else None,
        victim_bytes=_bytes(kill.held_kib if kill else None),
        unit=owner.unit,
        task_memcg=event.task_memcg or "",
        oom_memcg=event.oom_memcg or "",
        limit_bytes=_bytes(event.limit_kib),
        largest=largest.name[:NAME_LENGTH] if largest else "",
        largest_bytes=_held(event, largest),
        victim_is_largest=largest.pid == victim.pid if largest and victim else None,
        task_memory_percent=numbers.share(event.task_pages, event.ram_pages) if event.tasks else None,
        killer=event.killer,
        score_adj=kill.oom_score_adj if kill else None,
        victim_score=numbers.fits(event.score) if event.score is not None else None,
        reaped=bool(event.reaped),
        complete=event.complete,
        **_others(event),
        **_memory(event),
    )


def _others(event: LogEvent) -> dict[str, Any]:
    hog, following = explain.hog(event), explain.next_victim(event)
    return {
        "hog": hog.name[:NAME_LENGTH] if hog else "",
        "hog_bytes": _held(event, hog),
        "hog_protected": hog is not None and explain.is_protected(hog),
        "next_victim": following.name[:NAME_LENGTH] if following else "",
    }


def _memory(event: LogEvent) -> dict[str, Any]:
    told = explain.memory(event)
    slab = [size for size in (told.slab_reclaimable_kib, told.slab_unreclaimable_kib) if size is not None]
    return {
        "shmem_bytes": _bytes(told.shmem_kib),
        "slab_bytes": _bytes(sum(slab) if slab else None),
        "hugetlb_bytes": _bytes(told.hugetlb_kib),
        "hidden_bytes": _bytes(explain.hidden_kib(event)),
        "hidden_in": explain.hidden_in(event),
    }


def _held(event: LogEvent, task: Task | None) -> int | None:
    page = explain.page_kib(event)
    return _bytes(task.pages * page) if task and page else None


def _bytes(kib: int | None) -> int | None:
    return None if kib is None else numbers.fits(kib * KIB)


def _drop(note: LogNote, uptime: float) -> CacheDrop:
    return CacheDrop(name=note.name[:NAME_LENGTH], pid=note.pid, value=note.value, age_seconds=_age(note.stamp, uptime))


def _age(stamp: float | None, uptime: float) -> float | None:
    """About: the log's clock stands still while a host is suspended."""
    return None if stamp is None else max(0.0, uptime - stamp)


def _recent(age: float | None) -> bool:
    return age is not None and age < DAY


def _failure(failure: Failure, log: KernelLog, uptime: float) -> AllocationFailure:
    return AllocationFailure(
        age_seconds=_age(failure.stamp, uptime),
        order=failure.order,
        name=failure.name[:NAME_LENGTH],
        atomic=failure.atomic,
        fallout=any(explains(event, failure) for event in log.events),
        short=judged(failure, failure.request).state,
    )


FACT = Fact(
    reading=Oom,
    parse=parse,
    asks=(Command(LOG, ("dmesg",), newest=NEWEST_LINES),),
    needs=("host", "units", "vmstat"),
    meaning="out-of-memory events and failed allocations of this boot",
)
