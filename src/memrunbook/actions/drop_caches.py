"""Drops clean page cache or slab objects: against bloated slab, or before a second compaction; no cure for shortage."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.scripts import WRITE_SLOWLY
from memrunbook.core.action.action import Action, Blocked, Change, Decision, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot

KNOB = "/proc/sys/vm/drop_caches"
WAIT = 300
VALUES = {"pagecache": "1", "slab": "2", "all": "3"}
HEALTHY_AVAILABLE = 20.0
CALM = (
    ("pressure.some.percent", 1.0, "some pressure {:.1f} %"),
    ("swap.in_bytes_per_second", 1, "swap-in {} B/s"),
    ("swap.out_bytes_per_second", 1, "swap-out {} B/s"),
    ("vmstat.allocstalls_per_second", 0.01, "allocation stalls {:.1f}/s"),
    ("vmstat.compact_fails_per_second", 0.01, "failed compactions {:.1f}/s"),
    ("buddy.extfrag_3", 0.5, "fragmentation index {:.2f}"),
)
HUGE_WANTED = ("hugepages.total", "vmstat.thp_fault_fallbacks_per_second")
HUGE_MISSING = (("buddy.extfrag_9", 0.5), ("buddy.unusable_9", 0.95))
UNCLEAN_SHARE = 0.2
WORTHWHILE = 5.0

SCRIPT = (
    WRITE_SLOWLY
    + """\
write_slowly "$1" "$2" "$3"
"""
)
SLAB_FELL = "vmstat.dropped_slab > before.vmstat.dropped_slab && slab.reclaimable_bytes < before.slab.reclaimable_bytes"
HALF_CAME_FREE = "2 * (memory.free_bytes - before.memory.free_bytes) >= before.memory.droppable_bytes"
VERIFY = {
    "pagecache": f"vmstat.dropped_pagecache > before.vmstat.dropped_pagecache && {HALF_CAME_FREE}",
    "slab": SLAB_FELL,
    "all": f"vmstat.dropped_pagecache > before.vmstat.dropped_pagecache && {HALF_CAME_FREE}",
}


class DropCaches(Action, frozen=True, kw_only=True):
    """Drops caches once, without `sync`; free memory rises, *available* memory does not."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = (
        "host", "memory", "buddy", "hugepages", "pressure", "slab", "swap", "vmstat",
    )  # fmt: skip
    moves: ClassVar[Moves | None] = {"memory.free_bytes": "up"}
    host_wide: ClassVar[bool] = True

    what: Annotated[Literal["pagecache", "slab", "all"], Meta(description="file pages, dentries and inodes, or both")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked on a healthy host and on databases; not needed where less than 5 % of RAM could be dropped."""
        worth = "slab.reclaimable_percent" if self.what == "slab" else "memory.droppable_percent"
        blocked = guards.first(
            snapshot,
            *guards.HOST_WIDE,
            guards.NO_DATABASE,
            guards.known("memory.available_percent", worth, *UNCLEAN),
            healthy,
        )
        if blocked is not None:
            return blocked
        percent = snapshot.value(worth)
        if percent < WORTHWHILE:
            return NotNeeded(f"only {percent:.1f} % of RAM could be dropped")
        return self._unclean(snapshot) or self._change(snapshot)

    def _unclean(self, snapshot: Snapshot) -> Blocked | None:
        dirty, writeback, cached = (snapshot.value(metric) for metric in UNCLEAN)
        if self.what == "slab" or dirty + writeback <= UNCLEAN_SHARE * cached:
            return None
        share = 100.0 * (dirty + writeback) / cached if cached else 100.0
        return Blocked(
            f"{share:.0f} % of the page cache is not written to disk yet and cannot be dropped",
            "wait until it is written back; see the runbook writeback-stall",
        )

    def _change(self, snapshot: Snapshot) -> Change:
        return self.change(
            summary=f"Drop {'dentries and inodes' if self.what == 'slab' else 'the page cache'}"
            f"{', dentries and inodes' if self.what == 'all' else ''}",
            target=self.what,
            command=f"echo {VALUES[self.what]} > {KNOB}",
            identity=guards.boot(snapshot),
            script=SCRIPT,
            args=(KNOB, VALUES[self.what], str(WAIT)),
            costs="files are read from disk again, slowly at first; CPU and locks are busy for seconds, on more than "
            "100 GiB for minutes",
            verify=Verify(VERIFY[self.what]),
            timeout=2.0 * WAIT,
        )


UNCLEAN = ("memory.dirty_bytes", "memory.writeback_bytes", "memory.cached_bytes")


def healthy(snapshot: Snapshot) -> Blocked | None:
    """Blocks where memory is available and nothing waits for it: what is not known shows no shortage."""
    values = [(snapshot.value(metric), limit, words) for metric, limit, words in CALM]
    read = [(value, limit, words) for value, limit, words in values if not isinstance(value, Unavailable)]
    available = snapshot.value("memory.available_percent")
    waits = any(value >= limit for value, limit, _ in read) or _lacks_huge_pages(snapshot)
    if available < HEALTHY_AVAILABLE or waits:
        return None
    numbers = ", ".join([f"{available:.1f} % available", *(words.format(value) for value, _, words in read)])
    return Blocked(
        f"the host is healthy ({numbers}): low free memory is page cache; nothing to do",
        "look at available memory, not at free memory",
    )


def _lacks_huge_pages(snapshot: Snapshot) -> bool:
    """Huge pages are asked for, and no free block is large enough for one."""
    counts = [snapshot.value(metric) for metric in HUGE_WANTED]
    indices = [(snapshot.value(metric), limit) for metric, limit in HUGE_MISSING]
    wanted = any(count > 0 for count in counts if not isinstance(count, Unavailable))
    return wanted and any(index >= limit for index, limit in indices if not isinstance(index, Unavailable))
