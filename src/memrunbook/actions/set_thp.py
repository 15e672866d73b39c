"""Sets who gets transparent huge pages, and who waits for one; until the next boot."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, sysfs
from memrunbook.core.action.action import Action, Blocked, Change, Decision, NotNeeded, Repeat, Risk, UndoMode, Verify
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.facts.thp import FOLDER

TARGET = "thp"


class SetThp(Action, frozen=True, kw_only=True):
    """Sets the two settings of transparent huge pages; huge pages that exist stay."""

    max_risk: ClassVar[Risk] = Risk.LOW
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = ("host", "thp")
    undo_mode: ClassVar[UndoMode] = "auto"
    only_target: ClassVar[str] = TARGET
    host_wide: ClassVar[bool] = True

    enabled: Annotated[
        Literal["always", "madvise", "never"] | None, Meta(description="whose memory may get huge pages")
    ] = None
    defrag: Annotated[
        Literal["always", "defer", "defer+madvise", "madvise", "never"] | None,
        Meta(description="who waits for reclaim and compaction to get one; the two with defer need Linux 4.6 and 4.11"),
    ] = None
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where both are as wished; blocked where this kernel has no such setting."""
        wished: dict[str, str] = {
            name: word for name, word in (("enabled", self.enabled), ("defrag", self.defrag)) if word
        }
        if not wished:
            return Blocked("it is not said what to set", "give enabled, defrag or both")
        known = guards.known(*(f"thp.{name}" for name in wished))
        blocked = guards.first(snapshot, *guards.HOST_WIDE, known, guards.comes_back(self.for_))
        if blocked is not None:
            return blocked
        old = {name: snapshot.value(f"thp.{name}") for name in wished}
        if old == wished:
            return NotNeeded(" and ".join(f"thp.{name} is {word}" for name, word in wished.items()))
        return self._change(snapshot, wished, old)

    def _change(self, snapshot: Snapshot, wished: dict[str, str], old: dict[str, str]) -> Change:
        new = {f"{FOLDER}/{name}": word for name, word in wished.items()}
        before = {f"{FOLDER}/{name}": word for name, word in old.items()}
        words = ", ".join(f"{name} {old[name]} -> {word}" for name, word in wished.items())
        return self.change(
            summary=f"Transparent huge pages: {words}",
            target=TARGET,
            command="; ".join(f"echo {word} > {file}" for file, word in new.items()),
            identity=f"{TARGET} {guards.boot(snapshot)}",
            script=sysfs.SCRIPT,
            args=sysfs.arguments(new),
            undo=sysfs.undo(new, before),
            costs="less of them: more page faults and TLB misses; more of them: more memory, and waits for compaction; "
            "the next boot sets it back",
            verify=Verify(" && ".join(f"thp.{name} == '{word}'" for name, word in wished.items())),
            back_after=self.for_,
        )
