"""The parts of `runbook oom-log --json` for lines beside events: notes, waits, caches of the kernel, hung tasks."""

from __future__ import annotations

from msgspec import Struct

from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.caches import CacheFailure
from memrunbook.linux.oomlog.event import AllocationStall, LogNote
from memrunbook.linux.oomlog.hung import HungTask
from memrunbook.linux.oomlog.stalls import reserve_share


class OomLogNote(Struct, frozen=True):
    """Another line that matters: `drop_caches`, `vmalloc`, `percpu`, `overcommit`, `cma`, `pids` (fork refused).

    Also `swap-write`, `swap-read` (name: the device), `fault` (value: how often), `unit`, `container` (killed, by
    systemd's or the runtime's word), `eviction` (the node was short), `evicted` (name: a pod; the log does not show for
    what) and `not-killed` (name: a killer that did not act, detail: why).
    """

    kind: str
    time: str | None
    stamp_seconds: float | None
    name: str
    pid: int | None
    value: int | None
    detail: str | None


class OomLogZone(Struct, frozen=True):
    """A zone of a memory report: what is free, and what must stay so."""

    zone: str
    free_kb: int
    min_kb: int


class OomLogStall(Struct, frozen=True, kw_only=True):
    """A task that waited for memory (4.10 to 4.14). `reserve_share` is what its zones keep back, of RAM (0 to 1)."""

    time: str | None
    stamp_seconds: float | None
    trigger: str
    trigger_pid: int | None
    waited_ms: int
    order: int
    mode: str
    flags: str | None
    ram_kb: int | None
    free_swap_kb: int | None
    total_swap_kb: int | None
    zones: tuple[OomLogZone, ...]
    reserve_share: float | None


class OomLogCache(Struct, frozen=True, kw_only=True):
    """A cache of the kernel that could not grow; `group` and `group_id` where it is one control group's."""

    time: str | None
    stamp_seconds: float | None
    cache: str | None
    object_bytes: int | None
    group_id: int | None
    group: str | None
    container: str | None


class OomLogHung(Struct, frozen=True, kw_only=True):
    """A task that hung while the kernel looked for memory: `waits` is reclaim, swap or writeback."""

    time: str | None
    stamp_seconds: float | None
    name: str
    pid: int
    seconds: int
    waits: str
    frame: str


def note_document(note: LogNote) -> OomLogNote:
    """The note; what a log does not say is null."""
    return OomLogNote(note.kind, note.date or None, note.stamp, note.name, note.pid, note.value, note.detail or None)


def stall_document(stall: AllocationStall) -> OomLogStall:
    """The wait, with what its memory report says of zones and swap."""
    share, told = reserve_share(stall), explain.of_host(stall)
    return OomLogStall(
        time=stall.date or None,
        stamp_seconds=stall.stamp,
        trigger=stall.name,
        trigger_pid=stall.pid,
        waited_ms=stall.waited_ms,
        order=stall.order,
        mode=stall.mode,
        flags=stall.flags,
        ram_kb=told.total_kib,
        free_swap_kb=told.free_swap_kib,
        total_swap_kb=told.total_swap_kib,
        zones=tuple(OomLogZone(zone.name, zone.free_kib, zone.min_kib) for zone in stall.zones),
        reserve_share=None if share is None else round(share, 4),
    )


def cache_document(one: CacheFailure) -> OomLogCache:
    """The cache and whose it is."""
    return OomLogCache(
        time=one.date or None,
        stamp_seconds=one.stamp,
        cache=one.cache or None,
        object_bytes=one.object_bytes,
        group_id=one.group_id,
        group=one.group or None,
        container=one.container or None,
    )


def hung_document(one: HungTask) -> OomLogHung:
    """The task and what it waited for."""
    return OomLogHung(
        time=one.date or None,
        stamp_seconds=one.stamp,
        name=one.name,
        pid=one.pid,
        seconds=one.seconds,
        waits=one.waits,
        frame=one.frame,
    )
