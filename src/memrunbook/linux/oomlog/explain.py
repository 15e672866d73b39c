"""What follows from an event: whose the victim was, the real hog, who would be next, memory that no process holds."""

from __future__ import annotations

from msgspec import Struct

from memrunbook.linux.attribution import NOBODY, Owner, is_user_manager, owner_of
from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, LogEvent, Picture, Task

MOSTLY_HIDDEN = 0.6
"""Below this share of RAM in processes, something else holds the memory."""


class MemoryAccount(Struct, frozen=True, kw_only=True):
    """Where the memory was, in KiB; of the whole host, or of the `group` whose limit was hit. None: not printed."""

    group: bool
    total_kib: int | None = None
    free_kib: int | None = None
    anonymous_kib: int | None = None
    file_kib: int | None = None
    shmem_kib: int | None = None
    slab_reclaimable_kib: int | None = None
    slab_unreclaimable_kib: int | None = None
    hugetlb_kib: int | None = None
    page_tables_kib: int | None = None
    free_swap_kib: int | None = None
    total_swap_kib: int | None = None


def owner(event: LogEvent) -> Owner:
    """The victim's unit and container: by its control group, else as systemd named it.

    Where nobody died it is whose limit was hit: who asked runs in that group. What died inside a user's manager is not
    that manager, which goes on: nobody's unit, unless the manager itself died.
    """
    path = event.task_memcg or (event.oom_memcg if event.hopeless else "") or ""
    found = owner_of(path)
    found = found if found.unit or found.container else Owner(event.unit, "")
    inside = path.rpartition("/")[2] not in (found.unit, "init.scope")
    return NOBODY if inside and not found.container and is_user_manager(found.unit) else found


def page_kib(event: LogEvent) -> int | None:
    """The page size: that of the smallest free block, else by the victim's row; None where nothing tells."""
    if event.page_kib:
        return event.page_kib
    sizes = {kill.pid: kill.total_vm_kib or 0 for kill in event.kills}
    rows = [task for task in (*event.likeliest, *event.largest) if task.total_vm and sizes.get(task.pid)]
    return sizes[rows[0].pid] // rows[0].total_vm or None if rows else None


def victim_row(event: LogEvent) -> Task | None:
    """The victim's row of the table, where it is among those that count."""
    victim = event.victim
    return next((task for task in (*event.largest, *event.likeliest) if victim and task.pid == victim.pid), None)


def hog(event: LogEvent) -> Task | None:
    """The largest process of the table where the victim is another; None where there is no table or no victim."""
    largest, victim = event.largest[0] if event.largest else None, event.victim
    if largest is None or victim is None or largest.pid == victim.pid:
        return None
    return None if any(kill.pid == largest.pid for kill in event.kills) else largest


def next_victim(event: LogEvent) -> Task | None:
    """Who has the most of the kernel's points among those that live on."""
    gone = {kill.pid for kill in event.kills} | {process.pid for process in event.reaped}
    gone |= {event.victim.pid} if event.victim else set()
    return next((task for task in event.likeliest if task.pid not in gone), None)


def is_protected(task: Task) -> bool:
    """Whether the kernel kills others before it."""
    return (task.oom_score_adj or 0) < 0


def task_share(event: LogEvent) -> float | None:
    """The share of RAM that the processes of the table held; None without a table of the whole host."""
    ram = event.ram_pages
    return event.task_pages / ram if event.tasks and ram and not event.of_group else None


def hidden_kib(event: LogEvent) -> int | None:
    """Memory that neither a process nor the page cache holds, and that is not free: at least so much.

    Pages that processes share are counted for each, so it may be more.
    """
    share, cached = task_share(event), event.counts.get("active_file")
    if share is None or cached is None or event.ram_pages is None:
        return None
    unmapped = max(0, cached + event.counts.get("inactive_file", 0) - event.counts.get("mapped", 0))
    free = event.counts.get("free", 0)
    rest = event.ram_pages - event.reserved_pages - free - unmapped - event.task_pages
    return max(0, rest) * (page_kib(event) or USUAL_PAGE_KIB)


def hidden_in(event: LogEvent) -> str:
    """What holds most of it where processes hold little of RAM: shmem, slab, huge pages, or the kernel itself."""
    share, hidden = task_share(event), hidden_kib(event)
    if share is None or not hidden or share >= MOSTLY_HIDDEN:
        return ""
    told = memory(event)
    kinds = {
        "shared memory and tmpfs": told.shmem_kib,
        "kernel objects (slab)": told.slab_unreclaimable_kib,
        "huge pages": told.hugetlb_kib,
    }
    known = {name: size for name, size in kinds.items() if size}
    rest = hidden - sum(known.values())
    known["the kernel or its drivers"] = rest
    return max(known, key=known.__getitem__)


def memory(event: LogEvent) -> MemoryAccount:
    """Where the memory was when it happened."""
    if event.usage_kib is not None or event.group_kib:
        return _of_group(event)
    return of_host(event, page_kib(event))


def of_host(picture: Picture, page: int | None = None) -> MemoryAccount:
    """The memory of the whole host, with pages of so many KiB."""
    size, counts = page or picture.page_kib or USUAL_PAGE_KIB, picture.counts

    def kib(*names: str) -> int | None:
        found = [counts[name] for name in names if name in counts]
        return sum(found) * size if found else None

    return MemoryAccount(
        group=False,
        total_kib=None if picture.ram_pages is None else (picture.ram_pages - picture.reserved_pages) * size,
        free_kib=kib("free") if "free" in counts else picture.free_kib or None,
        anonymous_kib=_without(kib("active_anon", "inactive_anon"), kib("shmem")),
        file_kib=kib("active_file", "inactive_file"),
        shmem_kib=kib("shmem"),
        slab_reclaimable_kib=kib("slab_reclaimable"),
        slab_unreclaimable_kib=kib("slab_unreclaimable"),
        hugetlb_kib=picture.huge_kib,
        page_tables_kib=kib("pagetables"),
        free_swap_kib=picture.free_swap_kib,
        total_swap_kib=picture.total_swap_kib,
    )


def _of_group(event: LogEvent) -> MemoryAccount:
    """Version 2 prints `anon` and `file`, version 1 `rss` and `cache`; what is shared is in the file pages."""
    group = event.group_kib
    file, shmem = group.get("file", group.get("cache")), group.get("shmem")
    return MemoryAccount(
        group=True,
        total_kib=event.usage_kib,
        anonymous_kib=group.get("anon", group.get("rss")),
        file_kib=_without(file, shmem),
        shmem_kib=shmem,
        slab_reclaimable_kib=group.get("slab_reclaimable"),
        slab_unreclaimable_kib=group.get("slab_unreclaimable"),
        page_tables_kib=group.get("pagetables"),
    )


def _without(whole: int | None, part: int | None) -> int | None:
    return None if whole is None else max(0, whole - (part or 0))
