"""What an event means, what helps against it and what does not: by its class, its zones, and where the memory sat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.oomlog import explain, places, sums
from memrunbook.linux.oomlog.account import OomLimit, OomPlace
from memrunbook.linux.oomlog.category import (
    GLOBAL,
    HIGH_ORDER,
    LIMIT,
    MANUAL,
    NOBODY,
    PAGE_FAULT,
    PANIC,
    USERSPACE,
    category,
    shortage,
)
from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, LogEvent
from memrunbook.linux.oomlog.killer_advice import KILLERS
from memrunbook.linux.oomlog.limits import KERNEL_RAISED, RAISED, full_beside
from memrunbook.linux.places import FILE, HUGE, SHARED, SLAB, STACKS, TABLES, UNCOUNTED
from memrunbook.linux.zones import Judgement


class Remedies(NamedTuple):
    """What it means, what may help, what cannot."""

    meaning: str
    helps: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()


NODES = ("freeing other nodes, killing at random",)
FIXED = {
    "cpuset": Remedies(
        "the memory nodes that the cpuset allows were full; others may have been free", ("widen cpuset.mems",), NODES
    ),
    "mempolicy": Remedies(
        "the memory nodes of the policy were full; others may have been free",
        ("change the policy (numactl, MPOL_BIND), or free that node",),
        NODES,
    ),
    MANUAL: Remedies("a person called the OOM killer (SysRq-f)"),
    USERSPACE: Remedies("a killer in userspace acted, not the kernel", ("its own policy",)),
    HIGH_ORDER: Remedies(
        "many pages in one piece were asked for, while memory was free in smaller ones",
        ("compaction, fewer large requests; on 32 bit the low zone is too small",),
        ("more swap",),
    ),
}
UNCLEAR = Remedies("pages in one piece were asked for; the log does not show whether memory was free")
UNTOLD = Remedies("somebody was killed for lack of memory; which memory was short the log does not show")
OF_HOST = Remedies(
    "the host itself ran out of memory, no container reached a limit; where the memory sat the log does not show",
    ("the whole report (dmesg, journalctl -k): it shows who held the memory", "limit what grew, more swap or RAM"),
)
HOSTS = ("Out of memory", "Out of Memory")
"""What the kernel says in front of a kill that no group, cpuset or policy was the reason of."""
PANICS = {
    "compulsory": Remedies(
        'the kernel gave up by itself: vm.panic_on_oom is 2 ("compulsory"), a panic at every shortage, '
        "also at that of a container, a cpuset or a policy",
        ("vm.panic_on_oom=0: one process dies, not the host (1 spares it the shortages of containers)",),
    ),
    "panic_on_oom": Remedies(
        "the kernel gave up by itself: vm.panic_on_oom is on, a panic instead of a kill when the whole host is short",
        ("vm.panic_on_oom=0: one process dies, not the host",),
    ),
}
FEWER = "fewer processes: each has page tables and a stack in the kernel, whatever it holds itself"
UNKILLABLE_SHARE = 0.9
STACKS_SHARE = 4.0
"""The stacks of threads, of the slab and page tables that come with them, at most."""
MANY_STACKS = 0.1
"""Of all RAM."""
LEAKS = {
    "kmemleak_object": "the kernel's own leak detector: boot with kmemleak=off, or a kernel without it",
    "dentry": "names of files: who looks up many that are not there",
    "vm_area_struct": "mappings: a process with very many of them",
}
KERNEL_HELPS = {
    SLAB: "find what the kernel's caches grow by (slabtop, /proc/slabinfo), a newer kernel or driver; a reboot "
    "gives it back",
    TABLES: "huge pages for the segment that many processes map (vm.nr_hugepages), fewer processes",
    STACKS: "fewer threads: each keeps a stack in the kernel",
    HUGE: "fewer reserved huge pages (vm.nr_hugepages)",
    UNCOUNTED: "look at ZFS (its ARC: arc_summary, zfs_arc_max), GPUs, drivers, ballooning (virtio, VMware, "
    "Hyper-V), per-CPU memory and vmalloc: no counter of the log holds it",
}


def remedies(event: LogEvent, found: Judgement, told: Sequence[OomPlace], limit: Sequence[OomLimit]) -> Remedies:
    """What follows; `found` are the zones, `told` the places, `limit` the limit that was hit."""
    acted = KILLERS.get(event.killer)
    if acted is not None:
        meaning, helps, useless = acted
        return Remedies(meaning, (helps,), tuple(filter(None, (useless,))))
    kind = category(event, found)
    if kind in (MANUAL, USERSPACE):
        return FIXED[kind]
    base = _of_shortage(event, found, told, limit)
    if kind == PANIC:
        panic = PANICS[event.panic]
        return Remedies(f"{panic.meaning}; here {base.meaning}", (*panic.helps, *base.helps), base.useless)
    return _nobody(event, base) if kind == NOBODY else base


def _nobody(event: LogEvent, base: Remedies) -> Remedies:
    """Protection is to blame only where the table shows it: else they hold nothing, or are dying already."""
    protected = bool(event.tasks) and event.unkillable >= UNKILLABLE_SHARE * event.tasks
    if not protected:
        return Remedies(f"nobody was left to kill; {base.meaning}", base.helps, base.useless or ("killing processes",))
    why = f"{event.unkillable:,} of {event.tasks:,} processes have oom_score_adj -1000 and are never killed"
    return Remedies(f"nobody could be killed: {why}", ("a higher oom_score_adj for those that may die", *base.helps))


def _of_shortage(event: LogEvent, found: Judgement, told: Sequence[OomPlace], limit: Sequence[OomLimit]) -> Remedies:
    kind = shortage(event, found)
    if kind == LIMIT:
        return _of_group(event, told, limit)
    if kind == PAGE_FAULT:
        return _page_fault(event, found)
    if kind != GLOBAL:
        return FIXED[kind]
    if found.state == "unknown":
        return _unseen(event, told)
    if found.state == "not-short":
        return Remedies(
            "the killer was called although memory was free where this request may have it: it came back just then, "
            "or something else said no (a policy, a group, code of the vendor)",
            ("look at what asked for it and at the lines above",),
            ("killing processes, swap, RAM",),
        )
    return _short(event, found, told)


def _unseen(event: LogEvent, told: Sequence[OomPlace]) -> Remedies:
    """No zones in the log: the kernel's word for it, and the places where they are told."""
    if event.order and not event.free_kib and not event.caches:
        return UNCLEAR
    if not told and not event.tasks:
        return OF_HOST if any(kill.message in HOSTS for kill in event.kills) else UNTOLD
    return Remedies("the whole host was short of memory", *_by_place(event, told, more=True))


def _short(event: LogEvent, found: Judgement, told: Sequence[OomPlace]) -> Remedies:
    cma = tuple("a smaller CMA area (cma= on the kernel's command line)" for one in found.beyond if "CMA" in one.why)
    if not found.low_memory:
        helps, useless = _by_place(event, told, more=True)
        return Remedies("the whole host was short of memory", (*helps, *cma), useless)
    helps, _ = _by_place(event, told, more=False)
    if any("HighMem" in one.why for one in found.beyond):
        meaning = "low memory, the part that a 32-bit kernel itself can use, was full; high memory was free"
        if cma and found.usable_kib <= found.free_kib // 2:
            meaning += "; most of what was free in low memory is kept for devices (CMA)"
            leak = _kernels(event, (), told)
            return Remedies(meaning, (*cma, *leak, "a 64-bit kernel"), ("more swap, more RAM",))
        return Remedies(meaning, ("a 64-bit kernel", *cma, *_kernels(event, helps, told)), ("more swap, more RAM",))
    meaning = (
        "memory for the kernel itself was short; what was free may only hold movable pages, or lies in a zone above"
    )
    more = ("a smaller Movable zone (movablecore=, kernelcore=, online_kernel for added memory)",)
    return Remedies(meaning, (*_kernels(event, helps, told), *more, *cma), ("more swap, killing processes",))


def _kernels(event: LogEvent, helps: tuple[str, ...], told: Sequence[OomPlace]) -> tuple[str, ...]:
    """Advice on processes does not help where only the kernel's own memory counts."""
    most = _held_by_kernel(event, told)
    if most is None:
        return helps if event.tasks else (KERNEL_HELPS[SLAB],)
    return _kernel(most, told)


def _of_group(event: LogEvent, told: Sequence[OomPlace], limit: Sequence[OomLimit]) -> Remedies:
    if full_beside(event) == "kmem":
        return Remedies("a control group reached its limit of kernel memory; the host was not short", *KERNEL_RAISED)
    helps, useless = RAISED[limit[0].owner] if limit else RAISED["own"]
    most = places.largest(told)
    if most is not None and most.size_bytes < places.MOSTLY * (event.usage_kib or 0) * KIB:
        most = None  # what holds the rest the log does not show
    if most is not None and most.name == SHARED:
        helps = (*helps, "files in its tmpfs and shared memory count too: delete them, or give them a size")
    elif most is not None and most.name == FILE:
        helps = (*helps, _written(event))
    elif most is not None and most.name in places.KERNELS:
        helps = (*helps, f"most of it is {most.name}, memory of the kernel: what asks the kernel for it must be mended")
    used = event.usage_kib is not None and limit and limit[0].limit_bytes is not None
    host = "; the host was not short" if used or event.of_group else ""
    whose = "its own limit" if not limit or limit[0].owner in ("own", "container") else "a limit"
    useless = (*useless, "dropping caches, swappiness, more RAM for the host")
    return Remedies(f"a control group reached {whose}{host}", helps, useless)


def _written(event: LogEvent) -> str:
    """Clean pages of files would have been dropped: those that are left wait for the disk, or are mapped and in use."""
    dirty = max(event.group_kib.get("dirty", 0), event.group_kib.get("file_dirty", 0))
    waits = dirty + max(event.group_kib.get("writeback", 0), event.group_kib.get("file_writeback", 0))
    if waits < places.MOSTLY * (event.usage_kib or 0):
        return "most of it is file cache that is in use: files that it maps, or reads again and again"
    said = f"{format_bytes(waits * KIB)} of it are file pages that the disk has not taken yet"
    return f"{said}: write less at once (direct I/O, fsync), control groups of version 2, which slow the writer down"


def _page_fault(event: LogEvent, found: Judgement) -> Remedies:
    if event.refused:
        return Remedies(
            f"just before, {event.refused} was refused memory: its kernel memory limit, most likely, and page faults "
            "that fail for it; the host need not be short",
            ("that group's memory.kmem.limit_in_bytes (docker run --kernel-memory): take it off",
             "kernels from 5.16 on try again and kill nobody"),
            ("restarting or limiting the victims, swap, RAM",),
        )  # fmt: skip
    said = {
        "short": "; and memory was short as well",
        "not-short": "; the host was not short",
        "fragmented": "; the host was not short",
    }.get(found.state, "; whether the host was short the log does not show")
    return Remedies(
        "no memory was asked for (gfp 0): a page fault failed, for a driver or a group's limit said no" + said,
        (
            "look at the driver in the lines above (a GPU's), at memory.kmem limits and failcnt of the groups",
            "kernels from 5.16 on try again and kill nobody",
        ),
        () if found.state == "short" else ("restarting or limiting the victim, swap, RAM",),
    )


def _by_place(event: LogEvent, told: Sequence[OomPlace], *, more: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What helps by where most of it sat; `more` where more memory of any kind would have helped."""
    most = places.largest(told)
    swap = "swap (there is none), RAM" if event.total_swap_kib == 0 else "swap or RAM"
    rest = (f"more {swap}",) if more else ()
    share = places.kernel_share(told)
    held = _held_by_kernel(event, told)
    whole = bool(event.counts)
    if held is not None and not whole and not event.caches:  # a part of a report: what else there was nobody knows
        return (f"limit or restart {_named_hog(event)}", *rest), ()
    if held is not None and share >= places.MOSTLY:
        much = f"{share:.0%} of what was used" if whole else "more than all processes"
        blame = f"killing or limiting one process: the kernel holds {much}"
        return (*_kernel(held, told), *(rest if held.name == TABLES else ())), (blame,)
    if most is not None and most.name == SHARED:
        return (
            "files in tmpfs (df -t tmpfs) and shared segments (ipcs -m): remove them, or give them a size",
            *rest,
        ), ()
    if most is not None and most.name == places.LOCKED:
        most_of_it = "most of it is locked: mlock (ulimit -l, LimitMEMLOCK), ramfs, an initramfs that stays unpacked"
        return (*([f"limit or restart {_named_hog(event)}"] if event.largest else []), most_of_it, *rest), ()
    if held is not None and most == held:
        return (*_kernel(held, told), *rest), ()
    return (f"limit or restart {_named_hog(event)}", *_threads(told), *rest), ()


def _threads(told: Sequence[OomPlace]) -> tuple[str, ...]:
    """Stacks are small: where they show beside a process, somebody has threads by the 10,000."""
    used = sum(place.size_bytes for place in told)
    stacks = sum(place.size_bytes for place in told if place.name == STACKS)
    return (KERNEL_HELPS[STACKS],) if stacks > MANY_STACKS * used else ()


def _held_by_kernel(event: LogEvent, told: Sequence[OomPlace]) -> OomPlace | None:
    """The kernel's largest place.

    Where the stacks of threads are not printed, what no counter holds may be those: a thread takes about as much slab
    and page tables as stack, so that they are not much more than these.
    """
    counted = [place for place in told if place.name in places.KERNELS]
    if event.stack_kib is None and len(counted) > 1:
        known = [place for place in counted if place.name != UNCOUNTED]
        most = STACKS_SHARE * sum(place.size_bytes for place in known)
        counted = known + [place for place in counted if place.name == UNCOUNTED and place.size_bytes > most]
    return places.largest(counted)


def _kernel(place: OomPlace, told: Sequence[OomPlace]) -> tuple[str, ...]:
    if place.name == TABLES:
        shared = sum(one.size_bytes for one in told if one.name == SHARED)
        return (KERNEL_HELPS[TABLES] if shared >= place.size_bytes else FEWER,)
    name = place.detail.partition(" ")[0]
    known = LEAKS.get(name)
    said = f"{name} holds most of the slab: {known}" if known else KERNEL_HELPS.get(place.name, KERNEL_HELPS[SLAB])
    if name and not known:
        said = f"{said}; most is in {name}"
    return (said,)


def _named_hog(event: LogEvent) -> str:
    crowd = sums.crowd(event)
    if crowd is not None:
        return f"the {crowd[0]} processes, or allow fewer of them (the size of the pool)"
    largest = event.largest[0] if event.largest else None
    if largest is None:
        return "whoever holds most (the log shows no processes)"
    page = explain.page_kib(event) or USUAL_PAGE_KIB
    return f"{largest.name}, the largest with {format_bytes(largest.pages * page * KIB)}"
