"""Tasks that hung while the kernel looked for memory: by the trace below the line of the hung-task watch."""

from __future__ import annotations

import re

from msgspec import Struct

from memrunbook.linux.oomlog.frame import KERNEL, LogLine

_HUNG = re.compile(r"INFO: task (.{1,64}):(\d{1,10}) blocked for more than (\d{1,9}) seconds")
_FRAMES = {
    "swap": r"swap_readpage|swap_read_folio|swap_writepage|swapin_readahead|swap_cluster_readahead|do_swap_page",
    "writeback": r"balance_dirty_pages\w*",
    "reclaim": (
        r"shrink_(?:node|lruvec|slab|zone|inactive_list|active_list|page_list|folio_list)\w*|(?:do_)?try_to_free_\w*pages"
        r"|__alloc_(?:frozen_)?pages\w*|__perform_reclaim|reclaim_throttle|throttle_direct_reclaim|wait_iff_congested"
        r"|congestion_wait|mem_cgroup_handle_over_high"
    ),
}
"""The functions of mm/ in which a task sleeps for want of memory, by what it waits for; the first one counts."""
_WAITS = re.compile("|".join(rf"(?<!\? )\b(?P<{kind}>{names})(?:\.[\w.]+)?\+0x" for kind, names in _FRAMES.items()))
MOST_LINES = 64
"""A trace has no more."""


class HungTask(Struct, kw_only=True):
    """A task that was blocked for so long; `waits` is swap, writeback or reclaim, empty where it hung elsewhere."""

    stamp: float | None
    date: str
    name: str
    pid: int
    seconds: int
    waits: str = ""
    frame: str = ""
    lines: int = 0

    def trace(self, text: str) -> None:
        """Looks for such a function in the lines below; a block may end in the midst of them."""
        left, self.lines = MOST_LINES - self.lines, self.lines + text.count("\n")
        found = _WAITS.search("\n".join(text.split("\n")[: max(0, left)])) if not self.waits else None
        if found:
            self.waits = found.lastgroup or ""
            self.frame = found[self.waits]


def hung(line: LogLine) -> HungTask | None:
    """The line of kernel/hung_task.c, whatever the task waits for."""
    found = _HUNG.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    return HungTask(stamp=line.stamp, date=line.date, name=found[1], pid=int(found[2]), seconds=int(found[3]))
