"""Starts a service that is down, as after an OOM kill that nothing restarted."""

from __future__ import annotations

from typing import ClassVar

from memrunbook.actions.shared import guards, systemd
from memrunbook.core.action.action import Action, Blocked, Decision, Leaves, NotNeeded, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import format_bytes, format_duration
from memrunbook.facts.shared.kills import ROUNDED
from memrunbook.facts.shared.victims import VictimUnit
from memrunbook.linux.service import Service

ROOM_PERCENT = 5.0

JOB = systemd.UnitJob("start", first='  child systemctl reset-failed --no-ask-password -- "$1"\n')


class StartUnit(Action, frozen=True, kw_only=True):
    """Starts a failed systemd service; the count of its failed starts is cleared first, or StartLimit might bar it."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = (*systemd.NEEDS, "memory", "oom", "cgroups")
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {}
    leaves: ClassVar[Leaves] = "up"

    unit: systemd.UnitName

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it runs; blocked while less than 5 % of memory is available, or where it would die again."""
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
            or _hopeless(snapshot, unit)
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


def _hopeless(snapshot: Snapshot, unit: Service) -> Blocked | None:
    """It was killed soon after its start at a limit that still stands: the next start would end as the last one.

    Without the log of the kills nothing is known against a start.
    """
    victims = snapshot.value("oom.victim_units")
    found: list[VictimUnit] = [] if isinstance(victims, Unavailable) else victims
    victim = next((one for one in found if one.name == unit.name), None)
    if victim is None or not victim.died_soon or not _stands(snapshot, victim, found):
        return None
    owner = victim.limit_group.rpartition("/")[2]
    whose = "its own limit" if victim.own_limit else f"the limit of {owner}, a group above it,"
    size = f" of {format_bytes(victim.limit_bytes)}" if victim.limit_bytes else ""
    lived = "soon" if victim.lived_seconds is None else format_duration(victim.lived_seconds)
    times = f"{victim.kills} times, " * (victim.kills > 1)
    return Blocked(
        f"{unit.name} was killed {times}{lived} after its last start at {whose}{size}, which still stands: "
        "it would be killed again",
        f"raise that limit first, as with: systemctl set-property --runtime {owner} MemoryMax=SIZE",
    )


def _stands(snapshot: Snapshot, victim: VictimUnit, found: list[VictimUnit]) -> bool:
    """Of a limit that several share only who grew is held back, the last of those that died of it."""
    if victim.own_limit:
        return victim.limit_stands
    sharing = [one.name for one in found if one.limit_group == victim.limit_group]
    groups = snapshot.value("cgroups.all")
    known = {} if isinstance(groups, Unavailable) else {one.path: one.limit_bytes for one in groups}
    now = known.get(victim.limit_group, victim.limit_bytes)
    return sharing[-1] == victim.name and now is not None and now <= (victim.limit_bytes or now) + ROUNDED
