"""Whether the kernel's log has lost kills, and how old these are at least."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memrunbook.core.reading.fact import Cut, Reading, Unavailable
from memrunbook.linux.oomlog.event import KernelLog

NEVER = 1e9
FIRST = 50
"""A line of the middle of a message has no time of its own: so many lines are looked at for one."""
STAMP = re.compile(r"(?:<\d{1,3}>)?\[\s*(\d{1,10}\.\d{1,9})\]", re.ASCII)
WHY = "the kernel counted kills that its log no longer shows"


def is_lost(log: KernelLog, vmstat: Reading | Unavailable | None) -> bool | None:
    """The log was read at the first sample: kills during the sampling are not in it."""
    counted, later = getattr(vmstat, "oom_kills", None), getattr(vmstat, "oom_kills_in_sample", None)
    if counted is None:
        return None
    seen = any(event.killer == "kernel" and (event.kills or event.reaped) for event in log.events)
    return counted > (later or 0) and not seen


def lost_age(lines: Sequence[str], uptime: float, *, lost: bool | None) -> float | None:
    """Seconds since the lost kills, at least: they are older than the oldest line that has a time."""
    if lost is None:
        return None
    stamp = _oldest(lines)
    return NEVER if not lost else 0.0 if stamp is None else max(0.0, uptime - stamp)


def lost_events(lines: Sequence[str], uptime: float, *, lost: bool | None) -> dict[str, Cut]:
    """What is lost is older than the oldest line of the log that has a time."""
    if not lost:
        return {}
    stamp = _oldest(lines)
    return {"events": Cut(WHY, least={} if stamp is None else {"age_seconds": max(0.0, uptime - stamp)})}


def _oldest(lines: Sequence[str]) -> float | None:
    return next((float(found[1]) for line in lines[:FIRST] if (found := STAMP.match(line))), None)
