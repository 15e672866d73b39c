"""What a kernel log says of memory: out-of-memory events, failed allocations, refused requests."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

MEMCG = "CONSTRAINT_MEMCG"
CPUSET = "CONSTRAINT_CPUSET"
POLICY = "CONSTRAINT_MEMORY_POLICY"
ANYWHERE = "(null)"
USERSPACE = ("systemd-oomd", "earlyoom", "oomd")


class Process(NamedTuple):
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


class Task(NamedTuple):
    """A row of the task table; sizes in pages of that host."""

    pid: int
    name: str
    rss: int
    swap: int
    oom_score_adj: int | None = None

    @property
    def pages(self) -> int:
        """What it holds in memory and in swap."""
        return self.rss + self.swap


class Event(Struct):
    """One out-of-memory event, filled in line by line while it is read; None where the log does not say it.

    `stamp` is the uptime of its last line of weight in seconds; memory is in KiB, `ram_pages` and the table in pages.
    `largest` are the three rows with the most memory and swap, `tasks` and `task_pages` count all rows.
    """

    stamp: float | None = None
    killer: str = "kernel"
    trigger: str | None = None
    trigger_pid: int | None = None
    gfp: str | None = None
    order: int | None = None
    kernel: str | None = None
    by_hand: bool = False
    constraint: str | None = None
    inferred: bool = False
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    oom_memcg: str | None = None
    task_memcg: str | None = None
    usage_kib: int | None = None
    limit_kib: int | None = None
    free_kib: int = 0
    high_kib: int = 0
    nodes: set[int] = set()
    free_swap_kib: int | None = None
    total_swap_kib: int | None = None
    ram_pages: int | None = None
    tasks: int = 0
    task_pages: int = 0
    largest: list[Task] = []
    chosen: Process | None = None
    chosen_uid: int | None = None
    selected: Process | None = None
    score: int | None = None
    group: bool = False
    kills: list[Kill] = []
    reaped: list[Process] = []
    hopeless: bool = False
    reason: str = ""

    @property
    def victim(self) -> Process | None:
        """Who died, else who was to die."""
        named: list[Kill | Process] = [*self.kills, *self.reaped]
        first = named[0] if named else self.chosen or self.selected
        return Process(first.pid, first.name) if first else None

    @property
    def complete(self) -> bool:
        """Whether the log holds both why it happened and whom it met."""
        return self.killer != "kernel" or (self.trigger is not None and bool(self.kills))


class Failure(Struct):
    """An allocation that the kernel could not serve: `mode` as printed, `flags` its names (4.6 and later)."""

    stamp: float | None
    name: str
    order: int
    mode: str
    flags: str | None = None
    pid: int | None = None

    @property
    def atomic(self) -> bool:
        """Whether the caller could not wait. Without names (before 4.6): 0x10 allows to wait, 0x20 is urgent."""
        if self.flags is not None:
            return "GFP_ATOMIC" in self.flags.split("|")
        bits = int(self.mode, 16)
        return bool(bits & 0x20) and not bits & 0x10


class KernelLog(Struct, frozen=True):
    """All that a log says, in its order; of a log with very many events the newest ones.

    `cut` is true where the kernel says that it dropped lines.
    """

    events: tuple[Event, ...] = ()
    failures: tuple[Failure, ...] = ()
    slub_failures: int = 0
    overcommit_refusals: int = 0
    cut: bool = False
