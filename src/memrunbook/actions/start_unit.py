"""Starts a service that is down, as after an OOM kill that nothing restarted."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
from memrunbook.actions.shared.scripts import SAME_RUN
from memrunbook.core.action.action import Action, Blocked, Change, Decision, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.linux.service import Service

ROOM_PERCENT = 5.0

SCRIPT = (
    SAME_RUN
    + systemd.JOURNAL
    + """\
act() { # UNIT MAINPID INVOCATION
  same_run "$1" "$2" "$3" || return
  child systemctl reset-failed --no-ask-password -- "$1"
  child systemctl start --no-ask-password -- "$1" || unit_journal "$1"
}
act "$@"
"""
)


class StartUnit(Action, frozen=True, kw_only=True):
    """Starts a failed systemd service; the count of its failed starts is cleared first, or StartLimit might bar it."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = (*systemd.NEEDS, "memory")
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {}

    unit: Annotated[str, Meta(description="the service, as in search-api.service")]

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
        return systemd.startable(unit) or _no_room(snapshot) or self._change(snapshot, unit)

    def _change(self, snapshot: Snapshot, unit: Service) -> Change:
        return Change(
            action="start_unit",
            summary=f"Start {unit.name}",
            target=unit.name,
            command=f"systemctl start {unit.name}",
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=systemd.run_arguments(unit),
            risk=systemd.risk(unit),
            repeat=self.repeat,
            costs="it takes memory again, as much as it had when it failed where nothing limits it",
            verify=Verify(systemd.stays_up(unit), within=180.0, hold=systemd.HOLD),
            timeout=systemd.job_timeout(unit),
            touches=unit.name,
            settle=2.0,
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
