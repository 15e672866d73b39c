"""Lines beside the events that matter: failed allocations, refusals, dropped caches, swap disks, killed units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto

from memrunbook.linux.oomlog.android import More
from memrunbook.linux.oomlog.caches import CacheFailure, CacheLine
from memrunbook.linux.oomlog.event import Failure, LogEvent, LogNote
from memrunbook.linux.oomlog.frame import KERNEL, LogLine, bare_name
from memrunbook.linux.oomlog.hung import HungTask
from memrunbook.linux.oomlog.killers import Sighting, Undone
from memrunbook.linux.oomlog.pods import PodName

_FAILURE = re.compile(
    r"(?:(.*): )?page allocation failure[.:] order:(\d{1,3})(?:, mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?)?"
    r"(?:, ?nodemask=(\(null\)|[\d,-]*?))?(?:,cpuset=.*,mems_allowed=([\d,-]*))?\s*$",
    re.DOTALL,
)
_REFUSAL = re.compile(r"__vm_enough_memory: pid: (\d{1,10}), comm: (.*), (?:bytes: (\d{1,18}) )?no[t ]+enough memory")
_DROP = re.compile(r"(.*) \((\d{1,10})\): drop_caches: (\d{1,3})$")
_VMALLOC = re.compile(
    r"(?:(.*): )?vmalloc(?: error: size (\d{1,18}),? ?"
    r"|: allocation failure(?:, allocated \d+ of| *:)? *(\d{1,18}) bytes)([^:(]*?)(?:,? mode:.*)?$"
)
_VMAP = re.compile(r"vmap allocation for size (\d{1,18}) failed|allocation failed: out of vmalloc space")
_PERCPU = re.compile(r"percpu: allocation failed, size=(\d{1,18}) align=\d+ (?:atomic=\d,? ?)?(.*)")
_CMA = re.compile(r"(?:cma: )?cma_alloc: (?:(\S{1,64}): )?alloc failed, req-size: (\d{1,18}) pages, ret: (-?\d{1,5})")
_PIDS = re.compile(r"cgroup: fork rejected by pids controller in (.*)$")
_SWAP = re.compile(r"(Write|Read)-error on swap-device \((\d{1,10}:\d{1,10}):\d{1,20}\)")
_FAULT = re.compile(r"Huh,? VM_FAULT_OOM leaked out|pagefault_out_of_memory: (\d{1,12}) callbacks suppressed")
_UNIT = re.compile(
    r"(\S{1,255}): (?:A process of this unit has been killed by the OOM killer|(Failed) with result 'oom-kill')"
)
_OOMD_UNIT = re.compile(r"(\S{1,255}): (systemd-oomd killed (\d{1,9}) process\(es\) in this unit)")
NO_SPACE = "no address space left"
ENDED = "unit-ended"
"""What systemd says of a unit behind the line of its killed process, or instead of it (before 247)."""
CLOSE = 60.0
AT_ONCE = 1.0


class Sign(Enum):
    """A line that says no more than that it happened."""

    LOSS = auto()


Telling = LogEvent | Failure | LogNote | CacheFailure | CacheLine | HungTask | Sighting | Undone | More | PodName | Sign
LineReading = Callable[[LogLine], Telling | None]
_MINUTE = re.compile(r".*?\d\d:\d\d")
_LOST = re.compile(
    r"printk messages dropped|(?:oom|warn_alloc|dump_header|out_of_memory|alloc_pages)\w*: \d+ callbacks suppressed"
    r"|Missed \d+ kernel messages"
)


def failure(line: LogLine) -> Failure | None:
    """A page allocation that failed."""
    found = _FAILURE.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    nodes = found[5], found[6]
    name, mode = bare_name(found[1] or "not printed"), found[3] or ""
    return Failure(line.stamp, name, int(found[2]), mode, found[4], *nodes, date=line.date)


def unit(line: LogLine) -> LogNote | LogEvent | None:
    """A unit that systemd says lost a process: to the OOM killer, or to systemd-oomd."""
    if line.program != "systemd":
        return None
    found = _UNIT.match(line.text)
    if found:
        return LogNote(ENDED if found[2] else "unit", line.stamp, line.date, found[1])
    killed = _OOMD_UNIT.match(line.text)
    if killed is None or killed[3] == "0":
        return None
    return LogEvent(line.stamp, "systemd-oomd", unit=killed[1], reason=killed[2], date=line.date)


def refusal(line: LogLine) -> LogNote | None:
    """A request for more memory than may be promised."""
    found = _REFUSAL.search(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    value = None if found[3] is None else int(found[3])
    return LogNote("overcommit", line.stamp, line.date, found[2], int(found[1]), value)


def drop(line: LogLine) -> LogNote | None:
    """Somebody dropped the caches."""
    found = _DROP.match(line.text) if line.program == KERNEL else None
    return LogNote("drop_caches", line.stamp, line.date, found[1], int(found[2]), int(found[3])) if found else None


def vmalloc(line: LogLine) -> LogNote | None:
    """A large virtual allocation of the kernel's own failed."""
    if line.program != KERNEL:
        return None
    found = _VMALLOC.match(line.text)
    if found:
        why, value = found[4].strip(" ,"), int(found[2] or found[3])
        return LogNote("vmalloc", line.stamp, line.date, found[1] or "", None, value, why)
    mapped = _VMAP.match(line.text)
    if mapped is None:
        return None
    return LogNote("vmalloc", line.stamp, line.date, "", None, int(mapped[1]) if mapped[1] else None, NO_SPACE)


def goes_on(before: LogNote, note: LogNote) -> bool:
    """Whether a failed vmalloc is the one that the line above found no address space for."""
    if before.kind != "vmalloc" or before.detail != NO_SPACE or before.name:
        return False
    return _at_once(before, note.stamp, note.date)


def is_half(before: LogNote, failed: Failure) -> bool:
    """Whether a failed allocation is the second line of a failed vmalloc: until 4.9 that alone names who asked."""
    if before.kind != "vmalloc" or before.name or failed.order:
        return False
    return _at_once(before, failed.stamp, failed.date)


def _at_once(before: LogNote, stamp: float | None, date: str) -> bool:
    if before.stamp is None or stamp is None:
        return before.date == date
    return 0 <= stamp - before.stamp <= AT_ONCE


def percpu(line: LogLine) -> LogNote | None:
    """Memory that every processor has a piece of could not be had: groups, network devices and BPF want it."""
    found = _PERCPU.match(line.text) if line.program == KERNEL else None
    return LogNote("percpu", line.stamp, line.date, "", None, int(found[1]), found[2].strip()) if found else None


def cma(line: LogLine) -> LogNote | None:
    """The area for large pieces of devices was full, or its pages could not be moved."""
    found = _CMA.search(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    return LogNote("cma", line.stamp, line.date, found[1] or "", None, int(found[2]), f"error {found[3]}")


def pids(line: LogLine) -> LogNote | None:
    """A control group has as many processes as it may: nothing that memory has to do with."""
    found = _PIDS.match(line.text) if line.program == KERNEL else None
    return LogNote("pids", line.stamp, line.date, found[1]) if found else None


def swap_error(line: LogLine) -> LogNote | None:
    """The disk below swap does not write or read."""
    found = _SWAP.match(line.text) if line.program == KERNEL else None
    return LogNote(f"swap-{found[1].lower()}", line.stamp, line.date, found[2]) if found else None


def fault(line: LogLine) -> LogNote | None:
    """ENOMEM of a driver or a limit leaked out of a page fault (5.16 and later retry it), so often."""
    found = _FAULT.match(line.text) if line.program == KERNEL else None
    return LogNote("fault", line.stamp, line.date, "", None, int(found[1] or 1)) if found else None


def loss(line: LogLine) -> Sign | None:
    """Lines of the kernel are missing here, and may have been an event's."""
    known = line.program in (KERNEL, "systemd-journald") and _LOST.search(line.text)
    return Sign.LOSS if known else None


def is_about(note: LogNote, event: LogEvent) -> bool:
    """Whether systemd's word of a unit is about this event: at most a minute later, and not of another unit."""
    if event.task_memcg is not None and note.name not in event.task_memcg:
        return False
    return follows(note, event)


def ends(note: LogNote, notes: Iterable[LogNote]) -> bool:
    """Whether a unit ended by a kill of which one of these told."""
    return any(one.kind == "unit" and one.name == note.name and follows(note, one) for one in notes)


def follows(later: LogNote | LogEvent, event: LogNote | LogEvent) -> bool:
    """Whether it came at most a minute after the event; false where the log has no times."""
    if later.stamp is not None and event.stamp is not None:
        return -1.0 <= later.stamp - event.stamp <= CLOSE
    minute = _MINUTE.match(later.date)
    return minute is not None and event.date.startswith(minute[0])
