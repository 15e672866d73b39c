"""What a kernel log says of memory: out-of-memory events, failed allocations, refused requests."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from memrunbook.linux.oomlog.caches import CacheFailure
from memrunbook.linux.oomlog.hung import HungTask
from memrunbook.linux.zones import PageRequest, PrintedZone

MEMCG = "CONSTRAINT_MEMCG"
CPUSET = "CONSTRAINT_CPUSET"
POLICY = "CONSTRAINT_MEMORY_POLICY"
USUAL_PAGE_KIB = 4
UNKILLABLE = -1000
KERNEL_KILLERS = ("kernel", "lowmemorykiller")
"""The OOM killer, and the driver of Android's kernels that kills before it has to."""
MOST_KILLS = 1000
"""Killed processes that are kept of one event."""


class TaskRow(NamedTuple):
    """A process as a log names it: the pid of the first namespace, and at most 15 bytes of its name, raw."""

    pid: int
    name: str


class Kill(NamedTuple):
    """A killed process; sizes in KiB, None where this kernel does not print them."""

    pid: int
    name: str
    message: str | None = None
    total_vm_kib: int | None = None
    anonymous_kib: int | None = None
    file_kib: int | None = None
    shared_kib: int | None = None
    uid: int | None = None
    page_tables_kib: int | None = None
    oom_score_adj: int | None = None
    rss_kib: int | None = None
    swap_kib: int | None = None

    @property
    def held_kib(self) -> int | None:
        """The memory that it held; killers other than the OOM killer print only the whole (`rss_kib`)."""
        sizes = [size for size in (self.anonymous_kib, self.file_kib, self.shared_kib) if size is not None]
        return sum(sizes) if sizes else self.rss_kib


class Task(NamedTuple):
    """A row of the task table; sizes in pages of that host."""

    pid: int
    name: str
    rss: int
    swap: int
    oom_score_adj: int | None = None
    page_tables: int = 0
    total_vm: int = 0

    @property
    def pages(self) -> int:
        """What it holds in memory and in swap."""
        return self.rss + self.swap


class NameSum(NamedTuple):
    """All processes of one name together; sizes in pages, `largest` the most that one of them holds."""

    many: int
    pages: int
    largest: int


class Picture(Struct, kw_only=True):
    """The memory of a host as the kernel reports it with an event or a failure (`Mem-Info:`).

    `counts` are the host's totals in pages, by the kernel's names; `blocks` the free blocks by zone and order, `types`
    the letters behind them. `caches` are the kernel's own that hold most and cannot give it back, in KiB.
    """

    counts: dict[str, int] = {}
    zones: list[PrintedZone] = []
    blocks: dict[str, list[int]] = {}
    types: dict[str, list[str]] = {}
    caches: dict[str, int] = {}
    page_kib: int | None = None
    free_kib: int = 0
    stack_kib: int | None = None
    huge_kib: int | None = None
    nodes: set[int] = set()
    free_swap_kib: int | None = None
    total_swap_kib: int | None = None
    ram_pages: int | None = None
    reserved_pages: int = 0


class LogEvent(Picture):
    """One out-of-memory event, filled in line by line while it is read; None where the log does not say it.

    `stamp` is the uptime of its last line of weight in seconds, `date` the wall time as printed; memory is in KiB,
    `ram_pages` and the table in pages. `largest` are the three rows with the most memory and swap, `likeliest` those
    that the kernel would have killed first, `sums` all of one name together; `tasks` and `task_pages` count all rows,
    `unkillable` those with oom_score_adj -1000. `group_kib` is the breakdown of the control group whose limit was hit;
    `panic` is the kernel's last word where it gave up itself; `seen` counts the sources that tell of it. `refused` is
    a cache of a control group that was refused memory just before.
    """

    stamp: float | None = None
    killer: str = "kernel"
    trigger: str | None = None
    trigger_pid: int | None = None
    gfp: str | None = None
    flags: str | None = None
    order: int | None = None
    page_fault: bool = False
    kernel: str | None = None
    by_hand: bool = False
    constraint: str | None = None
    inferred: bool = False
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    oom_memcg: str | None = None
    task_memcg: str | None = None
    unit: str = ""
    pod: str = ""
    refused: str = ""
    usage_kib: int | None = None
    limit_kib: int | None = None
    group_kib: dict[str, int] = {}
    tasks: int = 0
    task_pages: int = 0
    unkillable: int = 0
    sums: dict[bytes, NameSum] = {}
    largest: list[Task] = []
    likeliest: list[Task] = []
    chosen: TaskRow | None = None
    chosen_uid: int | None = None
    selected: TaskRow | None = None
    score: int | None = None
    group: bool = False
    kills: list[Kill] = []
    reaped: list[TaskRow] = []
    hopeless: bool = False
    panic: str = ""
    reason: str = ""
    date: str = ""
    style: str = "dmesg"
    boot: int = 0
    seen: int = 1

    @property
    def victim(self) -> TaskRow | None:
        """Who died, else who was to die."""
        named: list[Kill | TaskRow] = [*self.kills, *self.reaped]
        first = named[0] if named else self.chosen or self.selected
        return TaskRow(first.pid, first.name) if first else None

    @property
    def of_group(self) -> bool:
        """Whether a control group reached its limit; 5.0 to 5.2 name the group but print another constraint."""
        return self.constraint == MEMCG or self.oom_memcg is not None

    @property
    def is_bare(self) -> bool:
        """Whether the log shows nothing of it but whom it met: no request, no memory, no group."""
        return self.gfp is None and not (self.counts or self.ram_pages or self.nodes or self.tasks or self.of_group)

    @property
    def is_over(self) -> bool:
        """Whether somebody was killed, or nobody could be: its report is complete."""
        return bool(self.kills) or self.hopeless

    @property
    def missing(self) -> list[str]:
        """The parts that such an event has and this log does not show."""
        if self.killer != "kernel":
            return []
        picture = bool(self.counts or self.ram_pages or self.nodes)
        reported = self.limit_kib is not None if self.of_group else picture
        parts = {
            "header": self.gfp is not None,
            "memory report": reported,
            "task table": self.tasks > 0,
            "kill": self.is_over,
        }
        return [part for part, there in parts.items() if not there]

    @property
    def complete(self) -> bool:
        """Whether the log holds both why it happened and whom it met."""
        return self.killer != "kernel" or (self.gfp is not None and bool(self.kills))


class Failure(Picture):
    """An allocation that the kernel could not serve: `mode` as printed, `flags` its names (4.6 and later)."""

    stamp: float | None
    name: str
    order: int
    mode: str
    flags: str | None = None
    nodemask: str | None = None
    mems_allowed: str | None = None
    pid: int | None = None
    date: str = ""

    @property
    def request(self) -> PageRequest:
        """What was asked for."""
        return PageRequest(
            gfp=self.mode or None,
            flags=self.flags,
            order=self.order,
            nodemask=self.nodemask,
            mems_allowed=self.mems_allowed,
        )

    @property
    def atomic(self) -> bool:
        """Whether the caller could not wait."""
        return self.request.atomic


class AllocationStall(Failure):
    """Somebody waited so long for a page (kernels 4.10 to 4.14 say so)."""

    waited_ms: int = 0


class LogNote(NamedTuple):
    """Another line that matters; `kind` is what it tells of, `detail` what the line itself says of it.

    `drop_caches` (value: what was written), `vmalloc` and `percpu` (value: bytes that were asked for), `overcommit`
    (value: bytes, where printed), `cma` (name: the area, value: pages), `unit` (name: a unit that systemd says lost a
    process to the OOM killer), `pids` (name: the control group that may not fork), `swap-write` and `swap-read` (name:
    the device), `fault` (value: how often ENOMEM leaked out of a page fault), `container` (name: one that was out of
    memory, by its runtime's word), `eviction` (name: what the node was short of), `evicted` (name: a pod; the log does
    not show for what), `not-killed` (name: a killer that did not act), `system-oom` (value: the pid that the kernel
    killed by the kubelet's word).
    """

    kind: str
    stamp: float | None
    date: str
    name: str
    pid: int | None = None
    value: int | None = None
    detail: str = ""


class KernelLog(Struct, frozen=True):
    """All that a log says, in its order; of a log with very many events the newest ones.

    `dropped` counts the older events that were not kept; `cut` is true where the log says that lines are missing;
    `kernel` whether anything in it looks like a kernel's line.
    """

    events: tuple[LogEvent, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[LogNote, ...] = ()
    stalls: tuple[AllocationStall, ...] = ()
    caches: tuple[CacheFailure, ...] = ()
    hung: tuple[HungTask, ...] = ()
    slub_failures: int = 0
    overcommit_refusals: int = 0
    dropped: int = 0
    cut: bool = False
    kernel: bool = False
