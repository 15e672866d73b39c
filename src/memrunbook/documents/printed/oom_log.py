"""What `runbook oom-log --json` says: the events of a saved log under names that scripts can rely on."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from memrunbook.documents.oom_lines import (
    OomLogCache,
    OomLogHung,
    OomLogNote,
    OomLogStall,
    cache_document,
    hung_document,
    note_document,
    stall_document,
)
from memrunbook.documents.printed import Document
from memrunbook.linux.fragmentation import by_zone
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.account import OomAccount
from memrunbook.linux.oomlog.category import constraint
from memrunbook.linux.oomlog.event import (
    KERNEL_KILLERS,
    USUAL_PAGE_KIB,
    Failure,
    KernelLog,
    Kill,
    LogEvent,
    Task,
)
from memrunbook.linux.oomlog.failing import FailureAccount, failure_account
from memrunbook.linux.oomlog.label import whose
from memrunbook.linux.oomlog.telling import account

SAME = (
    "trigger", "trigger_pid", "gfp", "order", "oom_memcg", "task_memcg", "cpuset", "mems_allowed", "nodemask", "kernel",
    "ram_pages", "tasks", "score", "seen", "complete",
)  # fmt: skip
"""Fields of an event that are told as they are."""
MOST = (1 << 63) - 1
"""Larger numbers are no host's, and JSON readers cannot hold them."""


class OomVictim(Struct, frozen=True, omit_defaults=True):
    """A killed process; null where it is not printed. `rss_kb`, the whole, there where the killer prints no parts."""

    pid: int
    name: str
    uid: int | None
    total_vm_kb: int | None
    anon_rss_kb: int | None
    file_rss_kb: int | None
    shmem_rss_kb: int | None
    pgtables_kb: int | None
    oom_score_adj: int | None
    rss_kb: int | None = None


class OomProcess(Struct, frozen=True):
    """A process that the log names."""

    pid: int
    name: str


class OomTask(Struct, frozen=True):
    """A row of the task table."""

    pid: int
    name: str
    rss_kb: int
    swap_kb: int
    oom_score_adj: int | None


class OomMemory(Struct, frozen=True):
    """Where the memory was: of the whole host, or (`scope` group) of the control group whose limit was hit."""

    scope: Literal["host", "group"]
    total_kb: int | None
    free_kb: int | None
    anonymous_kb: int | None
    file_kb: int | None
    shmem_kb: int | None
    slab_reclaimable_kb: int | None
    slab_unreclaimable_kb: int | None
    hugetlb_kb: int | None
    page_tables_kb: int | None


class OomLogEvent(Struct, frozen=True, kw_only=True):
    """One out-of-memory event of the kernel; null where the log does not say it.

    `inferred`: this kernel does not print the constraint. `score` is the victim's where it is printed (before 5.1).
    `hog` is the largest process where the victim is another, `next_victim` who would be killed next; `hidden_kb` is
    memory that no process holds, `hidden_in` what holds most of it where that is unusual. `seen` counts the sources.
    `account` is what the page says of it, in the same words as `diagnose` and `report` do.
    """

    time: str | None
    stamp_seconds: float | None
    class_: str = field(name="class")
    trigger: str | None
    trigger_pid: int | None
    gfp: str | None
    order: int | None
    constraint: str | None
    inferred: bool
    oom_memcg: str | None
    task_memcg: str | None
    unit: str | None
    container: str | None
    cpuset: str | None
    mems_allowed: str | None
    nodemask: str | None
    kernel: str | None
    usage_kb: int | None
    limit_kb: int | None
    free_swap_kb: int | None
    total_swap_kb: int | None
    ram_pages: int | None
    page_kb: int | None
    memory: OomMemory
    tasks: int
    largest: tuple[OomTask, ...]
    victims: tuple[OomVictim, ...]
    reaped: tuple[OomProcess, ...]
    chosen: OomProcess | None
    score: int | None
    group_kill: bool
    hog: OomTask | None
    hog_protected: bool
    next_victim: OomTask | None
    hidden_kb: int | None
    hidden_in: str | None
    reason: str | None
    seen: int
    complete: bool
    missing: tuple[str, ...]
    account: OomAccount


class OomLogFailure(Struct, frozen=True, kw_only=True):
    """An allocation that the kernel could not serve. `fragmentation` is the index (near 1: fragmented) by zone.

    `account` is what the page says of it.
    """

    time: str | None
    stamp_seconds: float | None
    trigger: str
    trigger_pid: int | None
    order: int
    mode: str
    flags: str | None
    atomic: bool
    memory: OomMemory
    fragmentation: dict[str, float]
    account: FailureAccount


class OomLogKiller(Struct, frozen=True, kw_only=True):
    """What a killer in userspace killed: a process, a control group, or (`whose`) a pod.

    `whose` is the unit, container, pod, or what ran inside a user's own manager, as people call it.
    """

    time: str | None
    stamp_seconds: float | None
    killer: str
    pid: int | None
    name: str | None
    task_memcg: str | None
    reason: str
    whose: str | None
    uid: int | None
    oom_score_adj: int | None
    rss_kb: int | None
    swap_kb: int | None


class OomLogDocument(Document, frozen=True, kw_only=True):
    """runbook oom-log --json; `older_events` were left out, of a log with very many."""

    format: Literal["memrunbook.oom-log/1"] = "memrunbook.oom-log/1"
    events: tuple[OomLogEvent, ...]
    failures: tuple[OomLogFailure, ...]
    userspace: tuple[OomLogKiller, ...]
    notes: tuple[OomLogNote, ...]
    stalls: tuple[OomLogStall, ...]
    caches: tuple[OomLogCache, ...]
    hung_tasks: tuple[OomLogHung, ...]
    slub_failures: int
    overcommit_refusals: int
    older_events: int
    lines_lost: bool
    is_kernel_log: bool


def oom_log_document(log: KernelLog) -> OomLogDocument:
    """The whole log."""
    return OomLogDocument(
        events=tuple(_event(event) for event in log.events if event.killer in KERNEL_KILLERS),
        failures=tuple(_failure(failure, log) for failure in log.failures),
        userspace=tuple(_killer(event) for event in log.events if event.killer not in KERNEL_KILLERS),
        notes=tuple(note_document(note) for note in log.notes),
        stalls=tuple(stall_document(stall) for stall in log.stalls),
        caches=tuple(cache_document(one) for one in log.caches),
        hung_tasks=tuple(hung_document(one) for one in log.hung),
        slub_failures=log.slub_failures,
        overcommit_refusals=log.overcommit_refusals,
        older_events=log.dropped,
        lines_lost=log.cut,
        is_kernel_log=log.kernel,
    )


def _event(event: LogEvent) -> OomLogEvent:
    page = explain.page_kib(event) or USUAL_PAGE_KIB
    owner, (word, inferred) = explain.owner(event), constraint(event)
    hog, following, chosen = explain.hog(event), explain.next_victim(event), event.chosen or event.selected
    hidden, told = explain.hidden_kib(event), account(event)
    return OomLogEvent(
        **{name: getattr(event, name) for name in SAME},
        time=event.date or None,
        stamp_seconds=event.stamp,
        class_=told.class_,
        constraint=word,
        inferred=inferred,
        unit=owner.unit or None,
        container=owner.container or None,
        usage_kb=event.usage_kib,
        limit_kb=event.limit_kib,
        free_swap_kb=event.free_swap_kib,
        total_swap_kb=event.total_swap_kib,
        page_kb=explain.page_kib(event),
        memory=_memory(explain.memory(event)),
        largest=tuple(_task(task, page) for task in event.largest),
        victims=tuple(_victim(kill) for kill in event.kills),
        reaped=tuple(OomProcess(*process) for process in event.reaped),
        chosen=OomProcess(*chosen) if chosen else None,
        group_kill=event.group,
        hog=_task(hog, page) if hog else None,
        hog_protected=hog is not None and explain.is_protected(hog),
        next_victim=_task(following, page) if following else None,
        hidden_kb=None if hidden is None else min(hidden, MOST),
        hidden_in=explain.hidden_in(event) or None,
        reason=event.reason or None,
        missing=tuple(event.missing),
        account=told,
    )


def _failure(failure: Failure, log: KernelLog) -> OomLogFailure:
    return OomLogFailure(
        time=failure.date or None,
        stamp_seconds=failure.stamp,
        trigger=failure.name,
        trigger_pid=failure.pid,
        order=failure.order,
        mode=failure.mode,
        flags=failure.flags,
        atomic=failure.atomic,
        memory=_memory(explain.of_host(failure)),
        fragmentation=by_zone(failure.blocks, failure.order),
        account=failure_account(failure, log),
    )


def _killer(event: LogEvent) -> OomLogKiller:
    victim, kill = event.victim, event.kills[0] if event.kills else None
    return OomLogKiller(
        time=event.date or None,
        stamp_seconds=event.stamp,
        killer=event.killer,
        pid=victim.pid if victim else None,
        name=victim.name if victim else None,
        task_memcg=event.task_memcg,
        reason=event.reason,
        whose=whose(event) or None,
        uid=kill.uid if kill else None,
        oom_score_adj=kill.oom_score_adj if kill else None,
        rss_kb=kill.rss_kib if kill else None,
        swap_kb=kill.swap_kib if kill else None,
    )


def _victim(kill: Kill) -> OomVictim:
    sizes = kill.total_vm_kib, kill.anonymous_kib, kill.file_kib, kill.shared_kib, kill.page_tables_kib
    return OomVictim(kill.pid, kill.name, kill.uid, *sizes, kill.oom_score_adj, kill.rss_kib)


def _task(task: Task, page: int) -> OomTask:
    return OomTask(task.pid, task.name, min(task.rss * page, MOST), min(task.swap * page, MOST), task.oom_score_adj)


def _memory(memory: explain.MemoryAccount) -> OomMemory:
    sizes = {name: getattr(memory, name.replace("_kb", "_kib")) for name in OomMemory.__struct_fields__[1:]}
    possible = {name: None if size is None else min(size, MOST) for name, size in sizes.items()}
    return OomMemory(scope="group" if memory.group else "host", **possible)
