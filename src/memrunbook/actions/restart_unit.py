"""Restarts a running service, so that it gives back what it leaked."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import systemd
from memrunbook.actions.shared.scripts import SAME_RUN
from memrunbook.core.action.action import Action, Blocked, Change, Decision, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.linux.service import Service

SCRIPT = (
    SAME_RUN
    + systemd.JOURNAL
    + """\
act() { # UNIT MAINPID INVOCATION
  same_run "$1" "$2" "$3" || return
  child systemctl restart --no-ask-password -- "$1" || unit_journal "$1"
}
act "$@"
"""
)


class RestartUnit(Action, frozen=True, kw_only=True):
    """Restarts an active systemd service; refuses one that is down, which is `start_unit`'s business."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up", "swap.used_bytes": "down"}

    unit: Annotated[str, Meta(description="the service, as in search-api.service")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked unless the service is active and may be stopped and started by hand."""
        unit = systemd.running(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        return systemd.stoppable(unit) or systemd.startable(unit) or self._change(snapshot, unit)

    def _change(self, snapshot: Snapshot, unit: Service) -> Change:
        return Change(
            action="restart_unit",
            summary=f"Restart {unit.name}",
            target=unit.name,
            command=f"systemctl restart {unit.name}",
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=systemd.run_arguments(unit),
            risk=systemd.risk(unit),
            repeat=self.repeat,
            costs="clients lose their connections until it is up again; what it holds only in memory is lost",
            verify=Verify(f"{systemd.stays_up(unit)} && {systemd.NOT_SHORT}", within=180.0, hold=systemd.HOLD),
            timeout=systemd.job_timeout(unit),
            touches=unit.name,
            settle=2.0,
        )
