"""Starts a service that is down, as after an OOM kill that nothing restarted."""

from __future__ import annotations

from typing import ClassVar

from memrunbook.actions.shared import guards, systemd
from memrunbook.core.action.action import Action, Blocked, Decision, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot

ROOM_PERCENT = 5.0

JOB = systemd.Job("start", first='  child systemctl reset-failed --no-ask-password -- "$1"\n')


class StartUnit(Action, frozen=True, kw_only=True):
    """Starts a failed systemd service; the count of its failed starts is cleared first, or StartLimit might bar it."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = (*systemd.NEEDS, "memory")
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {}

    unit: systemd.UnitName

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it runs; blocked while less than 5 % of memory is available."""
        unit = systemd.find(snapshot, self.unit)
        if unit is None:
            return systemd.not_found(self.unit)
        if isinstance(unit, Blocked):
            return unit
        if unit.active:
            return NotNeeded(f"{unit.name} is active")
        if not unit.failed:
            return Blocked(f"{unit.name} is {unit.state}: systemd is at it", "wait, or stop it with stop_unit")
        return (
            systemd.startable(unit)
            or _no_room(snapshot)
            or JOB.change(
                self,
                snapshot,
                unit,
                costs="it takes memory again, as much as it had when it failed where nothing limits it",
                verify=Verify(systemd.stays_up(unit), within=180.0, hold=systemd.HOLD),
                settle=2.0,
            )
        )


def _no_room(snapshot: Snapshot) -> Blocked | None:
    blocked = guards.known("memory.available_percent")(snapshot)
    if blocked is not None or snapshot.value("memory.available_percent") >= ROOM_PERCENT:
        return blocked
    available = snapshot.value("memory.available_percent")
    return Blocked(
        f"{available:.1f} % of memory is available, less than {ROOM_PERCENT:.0f} %: it would be killed again",
        "free memory first (stop_unit, restart_unit of what grows)",
    )
