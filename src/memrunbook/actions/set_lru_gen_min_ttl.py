"""Sets for how long the multi-gen LRU protects a working set: instead of thrashing, the host kills; until a boot."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, sysfs
from memrunbook.core.action.action import Action, Decision, NotNeeded, Repeat, Risk, UndoMode, Verify
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.facts.lru_gen import ENABLED, MIN_TTL

SWITCHED_ON = guards.is_not(
    "lru_gen.enabled",
    False,
    "the multi-gen LRU is switched off, so the setting would do nothing",
    f"echo y > {ENABLED} switches it on",
)


class SetLruGenMinTtl(Action, frozen=True, kw_only=True):
    """Protects what was used within so many milliseconds from eviction; where that is not possible, the kernel kills.

    Documentation/admin-guide/mm/multigen_lru.rst (thrashing prevention); Linux 6.1 and later.
    """

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = ("host", "lru_gen")
    undo_mode: ClassVar[UndoMode] = "auto"
    only_target: ClassVar[str] = "lru_gen"
    host_wide: ClassVar[bool] = True

    milliseconds: Annotated[int, Meta(ge=0, le=3000, description="0 protects nothing, the kernel's default")]
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it is set; blocked without the multi-gen LRU, or where that is switched off."""
        known = guards.known("lru_gen.min_ttl_ms")
        blocked = guards.first(snapshot, *guards.HOST_WIDE, known, SWITCHED_ON, guards.comes_back(self.for_))
        if blocked is not None:
            return blocked
        old, new = snapshot.value("lru_gen.min_ttl_ms"), self.milliseconds
        if old == new:
            return NotNeeded(f"lru_gen.min_ttl_ms is {new}")
        return self.change(
            summary=f"Protect the working set of {new} ms, not {old} ms",
            target=self.only_target,
            command=f"echo {new} > {MIN_TTL}",
            identity=f"lru_gen {guards.boot(snapshot)}",
            script=sysfs.SCRIPT,
            args=sysfs.arguments({MIN_TTL: str(new)}),
            risk=Risk.MEDIUM if new > old else Risk.LOW,
            undo=sysfs.undo({MIN_TTL: str(new)}, {MIN_TTL: str(old)}),
            costs="higher: what would thrash is killed by the OOM killer instead; the next boot sets it back",
            verify=Verify(f"lru_gen.min_ttl_ms == {new}"),
            back_after=self.for_,
        )
