"""Tells one out-of-memory event: what happened, to whom, why, who else, where the memory sat, what helps."""

from __future__ import annotations

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.attribution import is_guaranteed
from memrunbook.linux.oomlog import explain, sums
from memrunbook.linux.oomlog.account import OomAccount, OomHolder, OomKilled, OomPlace
from memrunbook.linux.oomlog.category import category, constraint, is_blameless, judgement
from memrunbook.linux.oomlog.event import UNKILLABLE, USUAL_PAGE_KIB, LogEvent, NameSum, Task
from memrunbook.linux.oomlog.label import whose
from memrunbook.linux.oomlog.limits import limit_of
from memrunbook.linux.oomlog.places import MOST, places
from memrunbook.linux.oomlog.remedies import remedies
from memrunbook.linux.places import ANONYMOUS
from memrunbook.linux.zones import Judgement

MOST_KILLS = 5
LONGEST_NAME = 64
LARGEST_ORDER = 64
TINY = 0.01
LEVELLED = (5, 9)
"""The kernel from which on scores below zero are told apart (mm/oom_kill.c)."""


def account(event: LogEvent, age_seconds: float | None = None) -> OomAccount:
    """All that is said of an event; `age_seconds` since it happened, where that is known."""
    found, told, limit = judgement(event), places(event), limit_of(event)
    crowd = sums.crowd(event)
    blameless = is_blameless(event, found)
    owner, memory, said = explain.owner(event), explain.memory(event), remedies(event, found, told, limit)
    return OomAccount(
        class_=category(event, found),
        meaning=said.meaning,
        inferred=constraint(event)[1],
        age_seconds=age_seconds,
        short=found.state,
        zone=found.zone,
        zone_says=zone_words(found),
        fate=_fate(event),
        killed=tuple(_killed(event)),
        more_killed=max(0, len(event.kills) - MOST_KILLS),
        together=event.group,
        unit=owner.unit,
        container=owner.container,
        pod=event.pod,
        whose=whose(event),
        group=event.task_memcg or "",
        asked_by=_asked(event),
        limit=limit,
        why=_why(event),
        hog=() if blameless else _hog(event, crowd),
        hog_protected=not blameless and crowd is None and _protected(event),
        following=_following(event),
        total_bytes=None if memory.total_kib is None else bytes_of(memory.total_kib),
        of_group=memory.group,
        places=tuple(_with_holder(crowd, place) for place in told),
        swap_free_bytes=None if memory.free_swap_kib is None else bytes_of(memory.free_swap_kib),
        swap_total_bytes=None if memory.total_swap_kib is None else bytes_of(memory.total_swap_kib),
        hidden="" if blameless else _hidden(event),
        helps=said.helps,
        useless=said.useless,
        reason=event.reason,
        missing=tuple(event.missing),
    )


def zone_words(found: Judgement) -> str:
    """What was free in the zone that decides, and what must be; what was free besides and why it was out of reach."""
    if found.state == "unknown":
        return ""
    usable = f", {format_bytes(found.usable_kib * KIB)} of it usable" if found.usable_kib != found.free_kib else ""
    words = f"{found.zone}: {format_bytes(found.free_kib * KIB)} free{usable}"
    if found.state == "fragmented":
        index = "" if found.index is None else f" (index {found.index:.3f})"
        return f"{words}, but too little of it in blocks of the size that was asked for{index}"
    must = f"; {format_bytes(found.needed_kib * KIB)} must stay ({found.watermark} watermark)"
    if found.state == "short" and _looks_enough(found):
        words = f"{found.zone}: {found.usable_kib:,} KiB free" + (" that are usable" if usable else "")
        must = f"; {found.needed_kib:,} KiB must stay ({found.watermark} watermark)"
    beyond = "".join(f"; {format_bytes(one.kib * KIB)} {one.why}" for one in found.beyond)
    return f"{words}{must}{beyond}"


def _looks_enough(found: Judgement) -> bool:
    """Whether what there is and what there must be read the same when rounded."""
    return format_bytes(found.usable_kib * KIB) == format_bytes(found.needed_kib * KIB)


def _hog(event: LogEvent, crowd: tuple[str, NameSum] | None) -> tuple[OomHolder, ...]:
    """Who held most: many of one name together, or one process where that is not the victim."""
    page = _page(event)
    if crowd is not None:
        name, most = crowd
        held, largest = min(most.pages * page, _cap(event)), most.largest * page
        found = OomHolder(
            name=name[:LONGEST_NAME], count=most.many, memory_bytes=bytes_of(held), largest_bytes=bytes_of(largest)
        )
        return (found,)
    alone = explain.hog(event)
    return (_holder(alone, page),) if alone else ()


def _cap(event: LogEvent) -> int:
    """Memory that processes share counts for each: together they hold no more than there is, in KiB."""
    memory = explain.memory(event)
    known = [size for size in (memory.anonymous_kib, memory.shmem_kib) if size is not None]
    swapped = (memory.total_swap_kib or 0) - (memory.free_swap_kib or 0)
    counted = sum(known) + max(0, swapped) if len(known) > 1 and not memory.group else None
    return MOST if counted is None else counted


def _protected(event: LogEvent) -> bool:
    found = explain.hog(event)
    return found is not None and explain.is_protected(found)


def _following(event: LogEvent) -> tuple[OomHolder, ...]:
    found = None if event.panic or (event.hopeless and not event.kills) else explain.next_victim(event)
    return (_holder(found, _page(event)),) if found else ()


def _holder(task: Task, page: int) -> OomHolder:
    return OomHolder(
        name=task.name[:LONGEST_NAME],
        pid=min(task.pid, MOST),
        memory_bytes=bytes_of(task.rss * page),
        swap_bytes=bytes_of(task.swap * page),
        oom_score_adj=task.oom_score_adj,
    )


def _fate(event: LogEvent) -> str:
    if event.kills:
        return "killed"
    return "reaped" if event.reaped else "chosen" if event.victim else ""


def _killed(event: LogEvent) -> list[OomKilled]:
    victim = event.victim
    if not event.kills:
        return [OomKilled(name=victim.name[:LONGEST_NAME], pid=min(victim.pid, MOST))] if victim else []
    return [
        OomKilled(
            name=kill.name[:LONGEST_NAME],
            pid=min(kill.pid, MOST),
            uid=kill.uid,
            anonymous_bytes=_sized(kill.anonymous_kib),
            file_bytes=_sized(kill.file_kib),
            shared_bytes=_sized(kill.shared_kib),
            held_bytes=_sized(kill.rss_kib),
            swap_bytes=_sized(kill.swap_kib),
            oom_score_adj=kill.oom_score_adj,
        )
        for kill in event.kills[:MOST_KILLS]
    ]


def _asked(event: LogEvent) -> str:
    if event.trigger is None and not event.order:
        return ""
    pid = f", pid {event.trigger_pid}" if event.trigger_pid else ""
    order = event.order or 0
    pages = f" for {1 << order:,} pages in one piece" if 0 < order < LARGEST_ORDER else ""
    return f"{event.trigger or 'not printed'}{pid}{pages}"


def _why(event: LogEvent) -> str:
    """The kernel kills whom it gives the most points: memory, swap, page tables, and oom_score_adj."""
    if _is_levelled(event):
        return (
            "all processes of a Guaranteed pod have oom_score_adj -997 or -998, and before 5.9 those count as equal: "
            "the first one that is looked at dies, whatever it holds"
        )
    if event.score is not None and event.selected:
        return f"{event.selected.name}, pid {event.selected.pid}, had the highest score: {event.score:,}"
    victim = explain.victim_row(event)
    if victim is None:
        return ""
    first = event.likeliest and event.likeliest[0].pid == victim.pid
    most = f"most points of {event.tasks:,} in the table" if first else "not the most points of the table"
    return f"{most}: {held_words(_holder(victim, _page(event)))}"


def _is_levelled(event: LogEvent) -> bool:
    """A victim that held next to nothing of the limit of a Guaranteed pod, on a kernel that may be older than 5.9."""
    kill = event.kills[0] if event.kills else None
    held, limit = kill.held_kib if kill else None, event.limit_kib
    if held is None or not limit or not is_guaranteed(event.task_memcg or "") or held > TINY * limit:
        return False
    version = tuple(int(part) for part in (event.kernel or "").split(".")[:2] if part.isdecimal())
    return version < LEVELLED


def held_words(holder: OomHolder) -> str:
    """What a process holds, and how its score was adjusted."""
    swap = f", {format_bytes(holder.swap_bytes)} in swap" if holder.swap_bytes else ""
    adjusted = holder.oom_score_adj or 0
    adjustment = f", oom_score_adj {adjusted}" if adjusted else ""
    never = " (never killed)" if adjusted == UNKILLABLE else ""
    return f"{format_bytes(holder.memory_bytes)} in memory{swap}{adjustment}{never}"


def _hidden(event: LogEvent) -> str:
    where, size = explain.hidden_in(event), explain.hidden_kib(event)
    return f"{format_bytes(size * KIB)} are in no process, most of it in {where}" if where and size else ""


def _with_holder(crowd: tuple[str, NameSum] | None, place: OomPlace) -> OomPlace:
    if place.name != ANONYMOUS or crowd is None:
        return place
    return OomPlace(name=place.name, size_bytes=place.size_bytes, detail=f"{crowd[1].many:,} {crowd[0]}")


def _page(event: LogEvent) -> int:
    return explain.page_kib(event) or USUAL_PAGE_KIB


def _sized(kib: int | None) -> int | None:
    return None if kib is None else bytes_of(kib)


def bytes_of(kib: int) -> int:
    """Bytes that a reader of JSON can hold, whatever the log says."""
    return max(-MOST, min(kib * KIB, MOST))
