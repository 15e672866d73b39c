"""Kills by OpenVZ's kernels: the limit is that of a container, which they call a user beancounter (UB)."""

from __future__ import annotations

import re

from memrunbook.linux.oomlog.event import MEMCG, Kill, LogEvent
from memrunbook.linux.oomlog.lines import NUMBER

_KILL = re.compile(
    r"(?:Out of memory in UB(?: ([\w-]{1,64}))?: )?OOM killed process"
    rf"(?: ({NUMBER}) \((.*?)\)| (.{{1,64}}) \(pid=({NUMBER}), ve=([\w-]{{1,64}})\))"
    rf"(?:.* rss:({NUMBER})kB,? swap:({NUMBER})kB)?"
)
HOST = "0"
"""The host itself counts as this one."""


def beancounter(event: LogEvent, text: str) -> bool:
    """Whom it met, and in which container; without one the host was short."""
    found = _KILL.match(text)
    if found is None:
        return False
    container, sizes = found[1] or found[6], [int(size) if size else None for size in (found[7], found[8])]
    pid, name = int(found[2] or found[5]), found[3] or found[4] or ""
    if all(pid != known.pid for known in event.kills):
        event.kills.append(Kill(pid, name, rss_kib=sizes[0], swap_kib=sizes[1]))
    if container and container != HOST:
        event.unit, event.constraint, event.inferred = f"OpenVZ container {container}", MEMCG, True
    return True
