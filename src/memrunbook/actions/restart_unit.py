"""Restarts a running service, so that it gives back what it leaked."""

from __future__ import annotations

from typing import ClassVar

from memrunbook.actions.shared import systemd
from memrunbook.core.action.action import Action, Blocked, Decision, Leaves, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot

JOB = systemd.UnitJob("restart")


class RestartUnit(Action, frozen=True, kw_only=True):
    """Restarts an active systemd service; refuses one that is down, which is `start_unit`'s business."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up", "swap.used_bytes": "down"}
    renews: ClassVar[bool] = True
    leaves: ClassVar[Leaves] = "anew"

    unit: systemd.UnitName

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked unless the service is active and may be stopped and started by hand."""
        unit = systemd.running(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        return (
            systemd.stoppable(unit)
            or systemd.startable(unit)
            or JOB.change(
                self,
                snapshot,
                unit,
                costs="clients lose their connections until it is up again; what it holds only in memory is lost",
                verify=Verify(f"{systemd.stays_up(unit)} && {systemd.NOT_SHORT}", within=180.0, hold=systemd.HOLD),
                settle=2.0,
            )
        )
