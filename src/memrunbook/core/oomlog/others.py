"""Lines beside the events that matter: failed allocations, refusals, dropped caches, units that lost a process."""

from __future__ import annotations

import re

from memrunbook.core.oomlog.event import Event, Failure, Note
from memrunbook.core.oomlog.frame import KERNEL, Line

_FAILURE = re.compile(
    r"(.*): page allocation failure[.:] order:(\d{1,3}), mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?", re.DOTALL
)
_REFUSAL = re.compile(r"__vm_enough_memory: pid: (\d{1,10}), comm: (.*), (?:bytes: (\d{1,18}) )?no[t ]+enough memory")
_DROP = re.compile(r"(.*) \((\d{1,10})\): drop_caches: (\d{1,3})$")
_VMALLOC = re.compile(r"(?:(.*): )?vmalloc(?: error: size (\d{1,18})|: allocation failure\D*(\d{1,18}))")
_UNIT = re.compile(
    r"(\S{1,255}): (?:A process of this unit has been killed by the OOM killer|Failed with result 'oom-kill')"
)
CLOSE = 60.0
_MINUTE = re.compile(r".*?\d\d:\d\d")
_LOST = re.compile(
    r"printk messages dropped|(?:oom|warn_alloc|dump_header|out_of_memory|alloc_pages)\w*: \d+ callbacks suppressed"
    r"|Missed \d+ kernel messages"
)


def read_failure(line: Line) -> Failure | None:
    """A page allocation that failed."""
    found = _FAILURE.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    return Failure(line.stamp, found[1], int(found[2]), found[3], found[4], date=line.date)


def read_note(line: Line) -> Note | None:
    """What else one line tells."""
    if line.program == "systemd":
        return _unit(line)
    return _kernel(line) if line.program == KERNEL else None


def is_loss(line: Line) -> bool:
    """Whether lines of the kernel are missing here, and may have been an event's."""
    return line.program in (KERNEL, "systemd-journald") and _LOST.search(line.text) is not None


def _unit(line: Line) -> Note | None:
    found = _UNIT.match(line.text)
    return Note("unit", line.stamp, line.date, found[1]) if found else None


def _kernel(line: Line) -> Note | None:
    if found := _REFUSAL.search(line.text):
        value = None if found[3] is None else int(found[3])
        return Note("overcommit", line.stamp, line.date, found[2], int(found[1]), value)
    if found := _DROP.match(line.text):
        return Note("drop_caches", line.stamp, line.date, found[1], int(found[2]), int(found[3]))
    if found := _VMALLOC.match(line.text):
        return Note("vmalloc", line.stamp, line.date, found[1] or "", None, int(found[2] or found[3]))
    return None


def is_about(note: Note, event: Event) -> bool:
    """Whether systemd's word of a unit is about this event: at most a minute later, and not of another unit."""
    if event.task_memcg is not None and note.name not in event.task_memcg:
        return False
    if note.stamp is not None and event.stamp is not None:
        return -1.0 <= note.stamp - event.stamp <= CLOSE
    minute = _MINUTE.match(note.date)
    return minute is not None and event.date.startswith(minute[0])
