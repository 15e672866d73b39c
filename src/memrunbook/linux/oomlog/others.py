"""Lines beside the events that matter: failed allocations, refusals, dropped caches, units that lost a process."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

from memrunbook.linux.oomlog.event import Failure, LogEvent, LogNote
from memrunbook.linux.oomlog.frame import KERNEL, LogLine, bare_name
from memrunbook.linux.oomlog.pods import PodName

_FAILURE = re.compile(
    r"(.*): page allocation failure[.:] order:(\d{1,3}), mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?"
    r"(?:, ?nodemask=(\(null\)|[\d,-]*?))?(?:,cpuset=.*,mems_allowed=([\d,-]*))?\s*$",
    re.DOTALL,
)
_REFUSAL = re.compile(r"__vm_enough_memory: pid: (\d{1,10}), comm: (.*), (?:bytes: (\d{1,18}) )?no[t ]+enough memory")
_DROP = re.compile(r"(.*) \((\d{1,10})\): drop_caches: (\d{1,3})$")
_VMALLOC = re.compile(r"(?:(.*): )?vmalloc(?: error: size (\d{1,18})|: allocation failure\D*(\d{1,18}))")
_UNIT = re.compile(
    r"(\S{1,255}): (?:A process of this unit has been killed by the OOM killer|Failed with result 'oom-kill')"
)
CACHES = "SLUB: Unable to allocate", "SLAB: Unable to allocate"
CLOSE = 60.0


class Sign(Enum):
    """A line that says no more than that it happened."""

    SLUB = auto()
    LOSS = auto()


LineReading = Callable[[LogLine], LogEvent | Failure | LogNote | PodName | Sign | None]
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
    return Failure(line.stamp, bare_name(found[1]), int(found[2]), found[3], found[4], *nodes, date=line.date)


def unit(line: LogLine) -> LogNote | None:
    """A unit that systemd says lost a process."""
    found = _UNIT.match(line.text) if line.program == "systemd" else None
    return LogNote("unit", line.stamp, line.date, found[1]) if found else None


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
    found = _VMALLOC.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    return LogNote("vmalloc", line.stamp, line.date, found[1] or "", None, int(found[2] or found[3]))


def slub(line: LogLine) -> Sign | None:
    """A cache of the kernel could not grow."""
    return Sign.SLUB if line.program == KERNEL and line.text.startswith(CACHES) else None


def loss(line: LogLine) -> Sign | None:
    """Lines of the kernel are missing here, and may have been an event's."""
    known = line.program in (KERNEL, "systemd-journald") and _LOST.search(line.text)
    return Sign.LOSS if known else None


def is_about(note: LogNote, event: LogEvent) -> bool:
    """Whether systemd's word of a unit is about this event: at most a minute later, and not of another unit."""
    if event.task_memcg is not None and note.name not in event.task_memcg:
        return False
    if note.stamp is not None and event.stamp is not None:
        return -1.0 <= note.stamp - event.stamp <= CLOSE
    minute = _MINUTE.match(note.date)
    return minute is not None and event.date.startswith(minute[0])
