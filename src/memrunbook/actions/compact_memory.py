"""Compacts memory: moves pages together so that large blocks come free; no cure for low memory."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.scripts import WRITE_SLOWLY
from memrunbook.core.action.action import Action, Blocked, Change, Decision, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB

KNOB = "/proc/sys/vm/compact_memory"
WAIT = 300
LEAST_FREE = 5.0
FRAGMENTED = 0.5
LARGE_HOST = 64 * GIB

SCRIPT = (
    WRITE_SLOWLY
    + """\
if [ -e "$1" ]; then
  write_slowly "$1" 1 "$2"
else
  printf '%s\\n' "this kernel has no $1 (CONFIG_COMPACTION)" >&2
  false
fi
"""
)


class CompactMemory(Action, frozen=True, kw_only=True):
    """Compacts all zones once, in the hope of free blocks of an order (2^order pages)."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host", "memory", "buddy", "pressure", "vmstat")
    moves: ClassVar[Moves | None] = {"buddy.unusable_9": "down", "buddy.unusable_3": "down"}
    only_target: ClassVar[str] = "memory"
    host_wide: ClassVar[bool] = True

    order: Annotated[int, Meta(ge=1, le=10, description="the wanted order: 3 network and stacks, 9 huge pages")] = 3

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed below an unusable index of 0.5; blocked with less than 5 % free or under pressure."""
        known = guards.known("memory.free_percent", "memory.total_bytes", "buddy.unusable", "host.database")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, known)
        if blocked is not None:
            return blocked
        indices = snapshot.value("buddy.unusable")
        if self.order >= len(indices):
            return Blocked(f"this kernel has no blocks of order {self.order}", f"its largest is {len(indices) - 1}")
        if indices[self.order] < FRAGMENTED:
            return NotNeeded(
                f"the unusable index of order {self.order} is {indices[self.order]:.3f}, below {FRAGMENTED}"
            )
        return guards.first(snapshot, _enough_free, guards.low_pressure) or self._change(snapshot)

    def _change(self, snapshot: Snapshot) -> Change:
        large = snapshot.value("memory.total_bytes") > LARGE_HOST or snapshot.value("host.database")
        index = f"buddy.unusable[{self.order}]"
        return self.change(
            summary=f"Compact memory for blocks of order {self.order}",
            target=self.only_target,
            command=f"echo 1 > {KNOB}",
            identity=guards.boot(snapshot),
            script=SCRIPT,
            args=(KNOB, str(WAIT)),
            risk=Risk.MEDIUM if large else Risk.LOW,
            costs="one CPU is busy for seconds, on hosts with TiBs for minutes; programs that touch a page while it is "
            "moved wait for it",
            verify=Verify(f"{index} <= before.{index} - 0.2 || {index} < {FRAGMENTED}"),
            timeout=2.0 * WAIT,
        )


def _enough_free(snapshot: Snapshot) -> Blocked | None:
    free = snapshot.value("memory.free_percent")
    if free >= LEAST_FREE:
        return None
    return Blocked(
        f"{free:.1f} % of memory is free, less than {LEAST_FREE:.0f} %: compaction needs free pages to move to",
        "free memory first; this may be a shortage, not fragmentation",
    )
