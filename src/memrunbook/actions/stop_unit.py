"""Stops a service that can be done without, so that the others have its memory."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import systemd
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Decision,
    Leaves,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot

JOB = systemd.UnitJob("stop")
UNDO = (
    OWN_CHILD
    + """\
take_back() { # UNIT
  case $(child systemctl show --property=ActiveState -- "$1") in
    ActiveState=active | ActiveState=activating) return 0 ;;
  esac
  """
    + LOOK_ONLY
    + """\
  child systemctl start --no-ask-password -- "$1" || return 1
}
take_back "$@"
"""
)
STOPPED = "!units.all.exists(u, u.name == target && !u.failed)"


class StopUnit(Action, frozen=True, kw_only=True):
    """Stops a systemd service that runs or starts over and over; it stays down until somebody starts it."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    undo_mode: ClassVar[UndoMode] = "offer"
    policy: ClassVar[str] = "stop"
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up", "swap.used_bytes": "down"}
    leaves: ClassVar[Leaves] = "down"

    unit: Annotated[str, Meta(description="the service, as in nightly-report.service")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it does not run; blocked where it may not be stopped by hand."""
        unit = systemd.find(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        if unit is None or unit.failed:
            return NotNeeded(f"{self.unit} does not run")
        return systemd.stoppable(unit) or JOB.change(
            self,
            snapshot,
            unit,
            undo=Undo(f"start {unit.name} again", UNDO, (unit.name,), costs="it takes its memory again"),
            costs="the service is down until somebody starts it",
            verify=Verify(f"{STOPPED} && {systemd.NOT_SHORT}", within=60.0, hold=10.0),
        )
