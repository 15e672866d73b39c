"""Thaws a service that is frozen: whatever it did before, it does again."""

from __future__ import annotations

from typing import ClassVar

from memrunbook.actions.shared import systemd
from memrunbook.actions.shared.scripts import SAME_RUN
from memrunbook.core.action.action import Action, Blocked, Decision, Leaves, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot

SCRIPT = (
    SAME_RUN
    + """\
act() { # UNIT MAINPID INVOCATION
  same_run "$1" "$2" "$3" || return
  child systemctl thaw --no-ask-password -- "$1" || return 1
}
act "$@"
"""
)


class ThawUnit(Action, frozen=True, kw_only=True):
    """Thaws a frozen systemd service, whoever froze it; a timer that would have done it later finds nothing to do."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    moves: ClassVar[Moves | None] = {}
    leaves: ClassVar[Leaves] = "up"

    unit: systemd.UnitName

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it is not frozen."""
        unit = systemd.running(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        if unit.freezer_state != "frozen":
            return NotNeeded(f"{unit.name} is not frozen")
        return self.change(
            summary=f"Thaw {unit.name}",
            target=unit.name,
            command=f"systemctl thaw {unit.name}",
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=systemd.run_arguments(unit),
            costs="it answers again, and does again what it was frozen for: where nothing else was changed, the "
            "incident comes back",
            verify=Verify('units.all.exists(u, u.name == target && u.freezer_state == "running")'),
            touches=unit.name,
        )
