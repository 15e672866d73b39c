"""Freezes a service for a while: it keeps its memory and does nothing, so that a thrashing host can be worked on."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD, SAME_RUN
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
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
from memrunbook.core.units import Duration
from memrunbook.linux.service import Service

FIRST_VERSION = 246

SCRIPT = (
    SAME_RUN
    + """\
act() { # UNIT MAINPID INVOCATION
  same_run "$1" "$2" "$3" || return
  child systemctl freeze --no-ask-password -- "$1" || return 1
}
act "$@"
"""
)
UNDO = (
    OWN_CHILD
    + """\
take_back() { # UNIT INVOCATION
  now=$(child systemctl show --property=InvocationID --property=FreezerState -- "$1") || return 1
  case $now in *FreezerState=running*) return 0 ;; esac
  case $now in
    *InvocationID="$2"*) ;;
    *) printf '%s\\n' "$1 was started again meanwhile" >&2; return 3 ;;
  esac
  """
    + LOOK_ONLY
    + """\
  child systemctl thaw --no-ask-password -- "$1" || return 1
}
take_back "$@"
"""
)


class FreezeUnit(Action, frozen=True, kw_only=True):
    """Freezes an active systemd service (cgroup v2, systemd 246 and later); the host itself thaws it after `for`."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = systemd.NEEDS
    undo_mode: ClassVar[UndoMode] = "auto"
    policy: ClassVar[str] = "freeze"
    moves: ClassVar[Moves | None] = {
        "vmstat.major_faults_per_second": "down",
        "swap.in_bytes_per_second": "down",
        "pressure.full.percent": "down",
    }
    leaves: ClassVar[Leaves] = "down"

    unit: systemd.UnitName
    for_: Annotated[Duration, Meta(description="how long; after that the host thaws it")] = msgspec.field(
        default=Duration(300), name="for"
    )

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where it is frozen; blocked where freezing is not offered or would be taken for a failure."""
        unit = systemd.running(snapshot, self.unit)
        if isinstance(unit, Blocked):
            return unit
        if unit.freezer_state == "frozen":
            return NotNeeded(f"{unit.name} is frozen")
        blocked = guards.first(snapshot, _offered, guards.comes_back(self.for_))
        return blocked or _unfreezable(unit) or self._change(snapshot, unit)

    def _change(self, snapshot: Snapshot, unit: Service) -> Change:
        return self.change(
            summary=f"Freeze {unit.name}",
            target=unit.name,
            command=f"systemctl freeze {unit.name}",
            identity=systemd.identity(snapshot, unit),
            script=SCRIPT,
            args=systemd.run_arguments(unit),
            risk=systemd.risk(unit),
            undo=Undo(
                f"thaw {unit.name}",
                UNDO,
                (unit.name, unit.invocation_id or ""),
                costs="it does again what it was frozen for",
            ),
            costs="it answers nobody while it is frozen; clients run into their timeouts",
            verify=Verify('units.all.exists(u, u.name == target && u.freezer_state == "frozen")', hold=10.0),
            back_after=self.for_,
            touches=unit.name,
        )


def _offered(snapshot: Snapshot) -> Blocked | None:
    blocked = guards.known("host.cgroup_version", "host.systemd_version")(snapshot)
    if blocked is not None:
        return blocked
    version = snapshot.value("host.systemd_version")
    if snapshot.value("host.cgroup_version") == 2 and version >= FIRST_VERSION:  # noqa: PLR2004  cgroup v2
        return None
    return Blocked(
        f"freezing needs cgroup v2 and systemd {FIRST_VERSION} or later; this host has "
        f"cgroup v{snapshot.value('host.cgroup_version')} and systemd {version}",
        "restart_unit or stop_unit work here",
    )


def _unfreezable(unit: Service) -> Blocked | None:
    if unit.watchdog:
        return Blocked(
            f"{unit.name} has a watchdog (WatchdogSec=): systemd would kill it while it is frozen",
            "restart_unit or stop_unit work here",
        )
    if not unit.can_freeze:
        return Blocked(f"systemd cannot freeze {unit.name} (CanFreeze=no)", "restart_unit or stop_unit work here")
    return None
